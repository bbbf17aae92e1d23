"""Webhooks: the address is the key, and the three ways to answer."""

from typing import Any

import pytest

from tests.flow.house import House
from tests.unit.graphs import graph, node


async def hook(house: House, answer: str, *more: dict[str, Any], method: str = "POST") -> str:
    """The path of a new workflow's webhook; `more` nodes stand in a row behind it."""
    nodes = [node("hook", "webhook", {"answer": answer, "method": method}), *more]
    edges = [f"{nodes[i]['id']} -> {nodes[i + 1]['id']}" for i in range(len(more))]
    created = await house.create(graph(nodes, *edges))
    url: str = created["hooks"][0]["url"]
    return url[url.index("/hooks/") :]


async def test_answering_at_once_gives_the_executions_id(house: House) -> None:
    answer = await house.http.post(await hook(house, "at_once", node("a")), json={"n": 1})
    assert answer.status_code == 202
    assert (await house.closed(answer.json()["execution"]))["status"] == "succeeded"


async def test_answering_when_done_gives_the_output(house: House) -> None:
    path = await hook(
        house, "when_done", node("a", "set", {"values": {"got": "{{ trigger.body.n }}", "q": "{{ trigger.query.q }}"}})
    )
    answer = await house.http.post(path + "?q=x", json={"n": 1})
    assert (answer.status_code, answer.json()) == (200, {"got": 1, "q": "x"})


async def test_a_respond_node_says_status_headers_and_body_while_the_execution_goes_on(house: House) -> None:
    config = {"status": 418, "headers": {"X-Tea": "yes"}, "body": {"brewed": "{{ trigger.body.cups }}"}}
    path = await hook(house, "respond_node", node("r", "respond", config), node("w", "delay", {"seconds": 20}))
    answer = await house.http.post(path, json={"cups": 2})
    assert (answer.status_code, answer.headers["x-tea"], answer.json()) == (418, "yes", {"brewed": 2})
    assert (await house.http.get("/api/v1/executions")).json()["data"][0]["status"] == "running"


async def test_a_failed_workflow_is_told_without_its_inside(house: House) -> None:
    path = await hook(house, "when_done", node("a", "set", {"values": {"x": "{{ $error('secret') }}"}}))
    answer = await house.http.post(path, json={})
    assert answer.status_code == 502
    assert "secret" not in answer.text


async def test_secret_headers_are_not_kept(house: House) -> None:
    path = await hook(house, "when_done", node("a", "set", {"values": {"h": "{{ trigger.headers }}"}}))
    answer = await house.http.post(path, json={}, headers={"Cookie": "a=b", "X-Kept": "1"})
    assert answer.json()["h"]["x-kept"] == "1"
    assert not {"authorization", "cookie"} & set(answer.json()["h"])


@pytest.mark.parametrize(("content", "kind", "seen"), [(b"plain", "text/plain", "plain"), (b"", "text/plain", None)])
async def test_any_body_is_taken(house: House, content: bytes, kind: str, seen: object) -> None:
    path = await hook(house, "when_done", node("a", "set", {"values": {"b": "{{ trigger.body }}"}}))
    answer = await house.http.post(path, content=content, headers={"Content-Type": kind})
    assert answer.json() == {"b": seen}


async def test_wrong_tokens_methods_and_json_are_refused(house: House) -> None:
    path = await hook(house, "at_once")
    assert (await house.http.post("/hooks/nonsense", json={})).status_code == 404
    wrong = await house.http.get(path)
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
    assert (await house.http.post(path, content=b"{", headers={"Content-Type": "application/json"})).status_code == 400
