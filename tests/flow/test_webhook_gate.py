"""What webhooks let in, and what they count as the same call."""

import asyncio
import base64
import hmac
import json
import logging
from typing import Any

import pytest

from linkflow.execution.surroundings import moment_text
from linkflow.runtime.settings import Settings
from tests.flow.house import House
from tests.flow.stored import everything_stored
from tests.unit.graphs import graph, node

SECRET = "a-secret-that-nobody-may-ever-find-again"


async def made(house: House, config: dict[str, Any], *more: dict[str, Any], secret: str | None = None) -> Any:
    """The workflow behind a webhook of this config, as its creation was answered, with the webhook's `path`."""
    nodes = [node("hook", "webhook", config), *more]
    edges = [f"{nodes[i]['id']} -> {nodes[i + 1]['id']}" for i in range(len(more))]
    body = {"name": "hooked", "definition": graph(nodes, *edges), "secrets": {"hook": secret} if secret else {}}
    answer = await house.http.post("/api/v1/workflows", json=body)
    assert answer.status_code == 201, answer.text
    url = answer.json()["hooks"][0]["url"]
    return {**answer.json(), "path": url[url.index("/hooks/") :]}


async def path_of(house: House, config: dict[str, Any], *more: dict[str, Any], secret: str | None = None) -> str:
    path: str = (await made(house, config, *more, secret=secret))["path"]
    return path


def signed(body: bytes, key: str = SECRET, algorithm: str = "sha256") -> str:
    return hmac.new(key.encode(), body, algorithm).hexdigest()


# ---------------------------------------------------------------- the same call


@pytest.mark.parametrize(
    ("rule", "first", "again", "other"),
    [
        (
            {"by": "header", "header": "X-Delivery"},
            ({"X-Delivery": "1"}, {"n": 1}),
            ({"X-Delivery": "1"}, {"n": 2}),
            ({"X-Delivery": "2"}, {"n": 1}),
        ),
        (
            {"by": "expression", "expression": "{{ trigger.body.id }}"},
            ({}, {"id": 7, "n": 1}),
            ({}, {"id": 7, "n": 2}),
            ({}, {"id": "7"}),
        ),
        ({"by": "body"}, ({"A": "1"}, {"n": 1}), ({"A": "2"}, {"n": 1}), ({"A": "1"}, {"n": 2})),
    ],
)
async def test_a_repeated_call_gets_the_execution_and_the_answer_of_the_first(
    house: House, rule: Any, first: Any, again: Any, other: Any
) -> None:
    answer = node("r", "respond", {"body": "{{ {'execution': execution.id, 'body': trigger.body} }}"})
    path = await path_of(house, {"deduplicate": rule, "answer": "respond_node"}, answer)
    answers = [await house.http.post(path, headers=headers, json=body) for headers, body in (first, again, other)]
    assert answers[0].json() == answers[1].json() != answers[2].json()
    assert [one.headers.get("x-linkflow-repeated") for one in answers] == [None, "true", None]
    assert len((await house.http.get("/api/v1/executions")).json()["data"]) == 2


async def test_calls_at_the_same_moment_are_one_too(house: House) -> None:
    path = await path_of(house, {"deduplicate": {"by": "body"}})
    answers = await asyncio.gather(*(house.http.post(path, json={"n": 1}) for _ in range(20)))
    assert {one.status_code for one in answers} == {202}
    assert len({one.json()["execution"] for one in answers}) == 1


async def test_a_call_without_what_tells_calls_apart_is_unlike_any_other(house: House) -> None:
    path = await path_of(house, {"deduplicate": {"by": "expression", "expression": "{{ trigger.body.id }}"}})
    answers = [await house.http.post(path, json={}) for _ in range(2)]
    assert answers[0].json() != answers[1].json()


async def test_an_expression_that_fails_on_a_call_refuses_it_and_says_why(house: House) -> None:
    config = {"deduplicate": {"by": "expression", "expression": "{{ $number(trigger.body.id) }}"}}
    refused = await house.http.post(await path_of(house, config), json={"id": "x"})
    assert refused.status_code == 422
    assert "tells calls" in refused.json()["error"]["details"][0]["message"]


async def test_without_a_rule_an_idempotency_key_makes_calls_the_same(house: House) -> None:
    path = await path_of(house, {})
    answers = [
        await house.http.post(path, json={}, headers={"Idempotency-Key": "k", "X-Request-Id": str(n)}) for n in (1, 2)
    ]
    assert answers[0].json() == answers[1].json()


# ---------------------------------------------------------------- limits


async def test_calls_above_the_rate_are_told_when_to_come_back(house: House) -> None:
    path = await path_of(house, {"rate": {"calls": 2, "seconds": 86_400}})
    answers = [await house.http.post(path, json={}) for _ in range(3)]
    assert [one.status_code for one in answers] == [202, 202, 429]
    assert [one.headers["x-ratelimit-remaining"] for one in answers] == ["1", "0", "0"]
    assert {one.headers["x-ratelimit-limit"] for one in answers} == {"2"}
    assert 0 < int(answers[2].headers["retry-after"]) <= 86_400


async def test_a_rate_is_kept_under_many_calls_at_once(house: House) -> None:
    path = await path_of(house, {"rate": {"calls": 5, "seconds": 86_400}})
    answers = await asyncio.gather(*(house.http.post(path, json={}) for _ in range(20)))
    assert sorted(one.status_code for one in answers) == [202] * 5 + [429] * 15


async def test_a_body_above_the_limit_is_refused_with_the_limit(house: House) -> None:
    refused = await house.http.post(await path_of(house, {"max_body": 100}), json={"text": "x" * 100})
    assert refused.status_code == 413
    assert "100" in refused.json()["error"]["message"]


async def test_five_megabytes_are_refused_with_the_installations_limit(house: House) -> None:
    refused = await house.http.post(await path_of(house, {}), content=b"x" * 5_000_000)
    assert refused.status_code == 413
    assert "1,048,576" in refused.json()["error"]["message"]


async def test_more_headers_than_are_kept_are_refused(house: House) -> None:
    refused = await house.http.post(await path_of(house, {}), json={}, headers={"X-Big": "x" * 40_000})
    assert refused.status_code == 431


@pytest.mark.parametrize(
    ("networks", "status"),
    [(["127.0.0.0/8"], 202), (["::ffff:0:0/96", "10.0.0.0/8"], 403), (["2001:db8::/32", "127.0.0.1"], 202)],
)
async def test_only_the_networks_on_the_list_are_let_in(house: House, networks: list[str], status: int) -> None:
    assert (await house.http.post(await path_of(house, {"allow_from": networks}), json={})).status_code == status


async def test_several_methods_are_let_in_and_others_told_which(house: House) -> None:
    path = await path_of(house, {"method": ["PUT", "POST"]})
    assert (await house.http.put(path, json={})).status_code == 202
    refused = await house.http.delete(path)
    assert (refused.status_code, refused.headers["allow"]) == (405, "PUT, POST")


async def test_what_follows_the_address_is_the_path(house: House) -> None:
    path = await path_of(house, {"answer": "when_done"}, node("a", "set", {"values": {"p": "{{ trigger.path }}"}}))
    answers = [(await house.http.post(path + more, json={})).json()["p"] for more in ("", "/", "/a", "/a/b-c/d.e")]
    assert answers == ["", "", "/a", "/a/b-c/d.e"]


@pytest.mark.parametrize(
    "content",
    [b"{", b'{"n": NaN}', b"[" * 5_000 + b"]" * 5_000, b'{"a":' * 300 + b"1" + b"}" * 300, b"\xff\xfe", b'"\\ud800"'],
)
@pytest.mark.parametrize("kind", ["application/json", "text/json"])
async def test_bodies_that_are_not_the_json_they_say_are_refused(house: House, content: bytes, kind: str) -> None:
    refused = await house.http.post(await path_of(house, {}), content=content, headers={"Content-Type": kind})
    assert refused.status_code == 400
    assert "body" in refused.json()["error"]["message"]


async def test_any_json_is_taken_not_only_objects(house: House) -> None:
    path = await path_of(house, {"answer": "when_done"}, node("a", "set", {"values": {"b": "{{ trigger.body }}"}}))
    assert (await house.http.post(path, json=[1, {"a": None}])).json() == {"b": [1, {"a": None}]}


# ---------------------------------------------------------------- proofs


def proof(kind: str, body: bytes, at: float) -> tuple[dict[str, Any], dict[str, str]]:
    """The authentication of a webhook, and the headers of a good call."""
    seconds = str(int(at))
    match kind:
        case "header":
            return {"type": "header", "header": "X-Key"}, {"X-Key": SECRET}
        case "basic":
            pair = base64.b64encode(f"shop:{SECRET}".encode()).decode()
            return {"type": "basic", "user": "shop"}, {"Authorization": f"Basic {pair}"}
        case "bearer":
            return {"type": "bearer"}, {"Authorization": f"Bearer {SECRET}"}
        case "github":
            headers = {"X-Hub-Signature-256": f"sha256={signed(body)}"}
        case "stripe":
            told = signed(seconds.encode() + b"." + body)
            headers = {"Stripe-Signature": f"t={seconds},v0=old,v1={'0' * 64},v1={told}"}
        case "slack":
            told = signed(b"v0:" + seconds.encode() + b":" + body)
            headers = {"X-Slack-Signature": f"v0={told}", "X-Slack-Request-Timestamp": seconds}
        case "linkflow":
            stamp = moment_text(at)
            told = signed(stamp.encode() + b"." + body)
            headers = {"X-LinkFlow-Signature": told, "X-LinkFlow-Timestamp": stamp}
        case _:
            encoded = base64.b64encode(hmac.digest(SECRET.encode(), body, "sha512")).decode()
            custom = {"header": "X-Mine", "algorithm": "sha512", "encoding": "base64", "prefix": "v9:"}
            return {"type": "hmac", **custom}, {"X-Mine": f"v9:{encoded}"}
    return {"type": "hmac", "preset": kind}, headers


KINDS = ["header", "basic", "bearer", "github", "stripe", "slack", "linkflow", "custom"]


@pytest.mark.parametrize("kind", KINDS)
async def test_who_proves_to_know_the_secret_is_let_in_and_nobody_else(house: House, kind: str) -> None:
    body, now = json.dumps({"n": 1}).encode(), house.world.clock.now()
    authentication, headers = proof(kind, body, now)
    path = await path_of(house, {"authentication": authentication}, secret=SECRET)
    bare = {"Authorization": ""}
    assert (await house.http.post(path, content=body, headers={**bare, **headers})).status_code == 202
    missing = await house.http.post(path, content=body, headers=bare)
    assert missing.status_code == 401
    spoilt = {name: value[:-3] + ("000" if value[-3:] != "000" else "111") for name, value in headers.items()}
    assert (await house.http.post(path, content=body, headers={**bare, **spoilt})).status_code == 401
    assert SECRET not in missing.text


@pytest.mark.parametrize("kind", ["github", "stripe", "slack", "linkflow", "custom"])
async def test_a_signature_is_over_the_very_body(house: House, kind: str) -> None:
    authentication, headers = proof(kind, b'{"n": 1}', house.world.clock.now())
    path = await path_of(house, {"authentication": authentication}, secret=SECRET)
    assert (await house.http.post(path, content=b'{"n":1}', headers=headers)).status_code == 401


@pytest.mark.parametrize("kind", ["stripe", "slack", "linkflow"])
@pytest.mark.parametrize("off", [-400, 400])
async def test_a_signed_timestamp_that_is_far_off_is_refused(house: House, kind: str, off: float) -> None:
    authentication, headers = proof(kind, b"{}", house.world.clock.now() + off)
    path = await path_of(house, {"authentication": authentication}, secret=SECRET)
    refused = await house.http.post(path, content=b"{}", headers=headers)
    assert refused.status_code == 401
    assert "300 s" in refused.json()["error"]["message"]


async def test_a_secret_is_made_shown_once_and_changed(house: House) -> None:
    workflow = await made(house, {"authentication": {"type": "bearer"}})
    secret = workflow["hooks"][0]["secret"]
    seen = (await house.http.get(f"/api/v1/workflows/{workflow['id']}")).text
    assert secret not in seen

    async def status(given: str) -> int:
        headers = {"Authorization": f"Bearer {given}"}
        return (await house.http.post(workflow["path"], json={}, headers=headers)).status_code

    change = f"/api/v1/workflows/{workflow['id']}/hooks/hook/secret"
    second = (await house.http.post(change, json={"keep_old": 3_600})).json()["secret"]
    assert (await status(secret), await status(second)) == (202, 202)
    third = (await house.http.post(change, json={"secret": "given-by-them"})).json()["secret"]
    assert third == "given-by-them"
    assert (await status(secret), await status(second), await status(third)) == (401, 401, 202)


async def test_secrets_nobody_asks_for_are_refused(house: House) -> None:
    body = {"name": "x", "definition": graph([node("hook", "webhook")]), "secrets": {"hook": SECRET, "no": SECRET}}
    refused = await house.http.post("/api/v1/workflows", json=body)
    assert refused.status_code == 422
    assert {one["path"] for one in refused.json()["error"]["details"]} == {"$.secrets.hook", "$.secrets.no"}
    workflow = await made(house, {})
    change = f"/api/v1/workflows/{workflow['id']}/hooks/hook/secret"
    assert (await house.http.post(change, json={})).status_code == 409
    assert (await house.http.post(change.replace("/hook/", "/none/"), json={})).status_code == 404


@pytest.mark.parametrize(
    "config",
    [
        {"method": "{{ 1 }}"},
        {"allow_from": ["300.1.1.1"]},
        {"deduplicate": {"by": "header"}},
        {"deduplicate": {"by": "expression", "expression": "trigger.body.id"}},
        {"deduplicate": {"by": "expression", "expression": "{{ ( }}"}},
        {"authentication": {"type": "password"}},
        {"rate": {"calls": 0}},
    ],
)
async def test_a_webhook_that_makes_no_sense_is_not_saved(house: House, config: dict[str, Any]) -> None:
    body = {"name": "x", "definition": graph([node("hook", "webhook", config)])}
    assert (await house.http.post("/api/v1/workflows", json=body)).status_code == 422


@pytest.mark.parametrize("kind", KINDS)
async def test_the_secret_is_nowhere_in_what_is_kept_or_logged(
    house: House, settings: Settings, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    body = json.dumps({"padding": "x" * 3_000}).encode()
    authentication, headers = proof(kind, body, house.world.clock.now())
    workflow = await made(house, {"authentication": authentication}, secret=SECRET)
    accepted = await house.http.post(workflow["path"], content=body, headers=headers)
    await house.closed(accepted.json()["execution"])
    await house.http.post(workflow["path"], content=body, headers={**headers, "Authorization": f"Basic {SECRET}"})
    kept = everything_stored(settings)
    assert workflow["id"].encode() in kept
    encoded = base64.b64encode(f"shop:{SECRET}".encode())
    for place in (kept, caplog.text.encode()):
        assert SECRET.encode() not in place
        assert encoded not in place
