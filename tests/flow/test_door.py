"""The engine's door: signed, and with every verb."""

import asyncio
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from pydantic import SecretStr

from linkflow.errors import NotConfigured
from linkflow.runtime.calls import Call
from linkflow.runtime.settings import Settings
from linkflow.runtime.signature import SIGNATURE, TIMESTAMP, signed
from linkflow.runtime.signed import signature_guard
from tests.flow.door import BASE, Door
from tests.flow.house import House
from tests.flow.outside import Outside
from tests.unit.graphs import graph, node

Json = Any


@pytest.fixture
async def door(house: House) -> Door:
    return await Door.of(house)


def line(*nodes: Json, **settings: Json) -> Json:
    names = ["start", *(one["id"] for one in nodes)]
    edges = [f"{source} -> {target}" for source, target in pairwise(names)]
    return graph([node("start", "manual"), *nodes], *edges, **settings)


def greeting() -> Json:
    return line(node("greet", "set", {"values": {"text": "Hello, {{ trigger.name }}!"}}))


def waiting(outside: Outside) -> Json:
    """Calls somebody who never answers; cleans up by another call."""
    call = node("call", "http_request", {"url": outside.address + "/silent"}, timeout=50)
    undo = node("undo", "http_request", {"url": outside.address + "/ok", "method": "POST"})
    inner = {"body": {"nodes": [call], "edges": []}, "handler": {"nodes": [undo], "edges": []}}
    return line(node("work", "try", inner), node("after"))


async def recorded(house: House, execution: str, kind: str) -> None:
    """Returns when such an event is in the book."""
    after, kinds = -1, set[str]()
    while kind not in kinds:
        page = await house.events(execution, after, wait=10)
        after, kinds = page["next_after"], {event["type"] for event in page["data"]}


# ---------------------------------------------------------------- who may come in


async def test_only_who_has_the_secret_comes_in_and_is_told_why_not(house: House, door: Door) -> None:
    now = house.world.clock.now()
    wrong = {
        "is not signed": {SIGNATURE: ""},
        "does not fit": {SIGNATURE: "0" * 64},
        "is no moment": {TIMESTAMP: "noon"},
        "more than 300 s": signed(house.world.secret, b"", now - 301),
        "the secret": signed("another", b"", now),
    }
    for said, headers in wrong.items():
        answer = await door.send("GET", f"{BASE}/ex_1", **headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "bad_signature")
        assert said in answer.json()["error"]["message"]
    assert (await door.send("GET", f"{BASE}/ex_1")).status_code == 404
    assert (await door.send("GET", f"{BASE}/ex_1", **{"X-LinkFlow-Workspace": "a#b"})).status_code == 422
    assert (await house.http.get(f"{BASE}/ex_1")).status_code == 401


async def test_without_a_secret_the_door_is_closed_and_says_what_to_set(house: House) -> None:
    bare = replace(house.world, settings=house.world.settings.model_copy(update={"secret": SecretStr("")}))
    call = Call("req_1", "GET", BASE, "", {}, "")
    with pytest.raises(NotConfigured, match="LINKFLOW_SECRET"):
        await signature_guard(bare)(call)


async def test_another_workspace_sees_nothing(house: House, door: Door) -> None:
    workflow = await house.create(greeting())
    started = await door.start(workflow["id"], {"name": "x"})
    stranger = Door(house, "ws_other")
    assert (await stranger.send("GET", f"{BASE}/{started['id']}")).status_code == 404
    assert (await stranger.wish(started["id"], "terminate")).status_code == 404
    assert (await stranger.send("POST", BASE, {"workflow": workflow["id"]})).status_code == 404


# ---------------------------------------------------------------- starting


async def test_a_start_that_waits_answers_with_the_result_and_otherwise_with_the_address(
    house: House, door: Door, outside: Outside
) -> None:
    await house.create(greeting(), "greet")
    done = await door.start("greet", {"name": "you"}, wait=30)
    assert (done["status"], done["output"], done["new"]) == ("succeeded", {"text": "Hello, you!"}, True)
    slow = await house.create(waiting(outside), "slow")
    started = await door.start(slow["id"], wait=0.2)
    assert started["status"] == "running"
    assert started["url"].endswith(f"{BASE}/{started['id']}")


async def test_the_same_idempotency_key_starts_once(house: House, door: Door) -> None:
    workflow = await house.create(greeting())
    first = await door.start(workflow["id"], {"name": "x"}, key="k", business_key="b", key_policy="reject")
    again = await door.start(workflow["id"], {"name": "x"}, key="k", business_key="b", key_policy="reject")
    assert (first["id"], first["new"], again["new"]) == (again["id"], True, False)


async def test_a_business_key_belongs_to_one_open_execution_and_is_given_back(
    house: House, door: Door, outside: Outside
) -> None:
    workflow = await house.create(waiting(outside))
    mine = {"business_key": "order-7", "key_policy": "reject"}
    first = await door.start(workflow["id"], **mine)
    refused = await door.send("POST", BASE, {"workflow": workflow["id"], **mine})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "conflict")
    assert first["id"] in refused.json()["error"]["message"]
    existing = await door.start(workflow["id"], business_key="order-7", key_policy="use_existing")
    assert (existing["id"], existing["new"]) == (first["id"], False)
    taken = await door.start(workflow["id"], business_key="order-7", key_policy="terminate_existing")
    assert (await house.closed(first["id"]))["status"] == "terminated"
    await door.wish(taken["id"], "terminate")
    assert (await house.closed(taken["id"]))["status"] == "terminated"
    answer = await door.send("POST", BASE, {"workflow": workflow["id"], **mine})
    assert answer.json()["new"]


async def test_of_many_who_want_one_business_key_one_gets_it(
    house: House, door: Door, outside: Outside, settings: Settings
) -> None:
    """(Emulators check the conditions of a transaction without a lock; there they come one after the other.)"""
    workflow = await house.create(waiting(outside))
    body = {"workflow": workflow["id"], "business_key": "k", "key_policy": "reject"}
    at_once = asyncio.Semaphore(1 if settings.family == "aws" else 8)

    async def sent() -> int:
        async with at_once:
            return (await door.send("POST", BASE, body)).status_code

    assert sorted(await asyncio.gather(*(sent() for _ in range(8)))) == [202] + [409] * 7


async def test_a_policy_needs_a_key_and_a_start_has_one_moment(house: House, door: Door) -> None:
    workflow = await house.create(greeting())
    for wrong in ({"key_policy": "reject"}, {"delay": 1, "start_at": "2030-01-01T00:00:00Z"}, {"start_at": "soon"}):
        answer = await door.send("POST", BASE, {"workflow": workflow["id"], **wrong})
        assert answer.status_code == 422
    assert (await door.send("POST", BASE, {"workflow": workflow["id"], "version": 9})).status_code == 404
    assert (await door.send("POST", BASE, {"workflow": workflow["id"], "node": "no"})).status_code == 422


async def test_a_delayed_execution_is_there_and_begins_when_its_moment_has_come(house: House, door: Door) -> None:
    workflow = await house.create(greeting())
    later = await door.start(workflow["id"], {"name": "x"}, delay=1.5)
    told = await door.told(later["id"])
    assert (told["status"], [timer["kind"] for timer in told["timers"]]) == ("running", ["start"])
    done = await house.closed(later["id"])
    assert done["output"] == {"text": "Hello, x!"}
    years = await door.start(workflow["id"], {"name": "x"}, start_at="2060-01-01T00:00:00Z")
    assert (await door.wish(years["id"], "cancel")).status_code == 202
    assert (await house.closed(years["id"]))["status"] == "cancelled"


async def test_what_was_said_of_a_start_is_told(house: House, door: Door) -> None:
    workflow = await house.create(greeting())
    said: dict[str, Json] = {
        "business_key": "b",
        "tags": ["a", "b"],
        "attributes": {"n": 1, "vip": True},
        "priority": 5,
        "name": "me",
    }
    started = await door.start(workflow["id"], {"name": "x"}, **said)
    told = await door.told(started["id"])
    assert {name: told[name] for name in said} == said
    there = (await house.http.post(f"/api/v1/workflows/{workflow['id']}/execute", json={"input": {}, **said})).json()
    assert {name: (await house.execution(there["id"]))[name] for name in said} == said


# ---------------------------------------------------------------- wishes


async def test_a_cancelled_execution_cleans_up_first(house: House, door: Door, outside: Outside) -> None:
    workflow = await house.create(waiting(outside))
    started = await door.start(workflow["id"])
    await outside.called.wait()
    assert (await door.wish(started["id"], "cancel", reason="enough", by="ops")).status_code == 202
    done = await house.closed(started["id"])
    assert (done["status"], done["reason"], outside.calls["/ok"]) == ("cancelled", "enough", 1)
    late = await door.wish(started["id"], "cancel")
    assert (late.status_code, late.json()["error"]["code"]) == (409, "conflict")


async def test_a_terminated_execution_does_not(house: House, door: Door, outside: Outside) -> None:
    workflow = await house.create(waiting(outside))
    started = await door.start(workflow["id"])
    await outside.called.wait()
    await door.wish(started["id"], "terminate", reason="now")
    done = await house.closed(started["id"])
    assert (done["status"], done["reason"], outside.calls["/ok"]) == ("terminated", "now", 0)
    assert (await door.wish(started["id"], "terminate")).status_code == 202
    assert (await door.wish(started["id"], "cancel")).status_code == 409


async def test_a_paused_execution_begins_nothing_until_it_is_resumed(
    house: House, door: Door, outside: Outside
) -> None:
    calls = [node(f"c{index}", "http_request", {"url": outside.address + f"/ok?{index}"}) for index in range(3)]
    workflow = await house.create(line(node("w", "delay", {"seconds": 1}), *calls))
    started = await door.start(workflow["id"])
    assert (await door.wish(started["id"], "pause", reason="lunch")).status_code == 202
    paused = (await door.told(started["id"]))["paused"]
    assert (paused["by"], paused["reason"]) == ("engine", "lunch")
    await house.world.clock.sleep(1.5)
    assert outside.seen == []
    assert (await door.wish(started["id"], "pause")).status_code == 202
    assert (await door.wish(started["id"], "resume")).status_code == 202
    assert (await house.closed(started["id"]))["status"] == "succeeded"
    assert len(outside.seen) == 3


# ---------------------------------------------------------------- reset


async def test_an_execution_is_taken_up_again_from_a_node_and_keeps_what_was_done_before(
    house: House, door: Door, outside: Outside
) -> None:
    urls = ("/ok?1", "/ok?2", "/status/500")
    calls = [node(f"c{index}", "http_request", {"url": outside.address + url}) for index, url in enumerate(urls)]
    workflow = await house.create(line(*calls))
    failed = await house.closed((await door.start(workflow["id"]))["id"])
    assert failed["status"] == "failed"
    answer = await door.wish(failed["id"], "reset", node="c1", reason="mended")
    new = await house.closed(answer.json()["id"])
    assert [outside.calls[url] for url in urls] == [1, 2, 2]
    keys = {seen["idempotency-key"] for seen in outside.seen if seen["path"] == "/ok?2"}
    assert len(keys) == 2
    assert new["reset_of"]["execution"] == failed["id"]
    assert (await house.execution(failed["id"]))["reset_to"] == new["id"]
    assert [one["node"] for one in new["nodes"]] == [one["node"] for one in failed["nodes"]]


async def test_an_open_execution_that_is_reset_is_terminated_and_waited_for_in_the_new_one(
    house: House, door: Door, outside: Outside
) -> None:
    workflow = await house.create(waiting(outside))
    old = await door.start(workflow["id"])
    await recorded(house, old["id"], "TaskStarted")
    body = {"turn": 0}
    first = await door.send("POST", f"{BASE}/{old['id']}/reset", body, **{"Idempotency-Key": "r"})
    again = await door.send("POST", f"{BASE}/{old['id']}/reset", body, **{"Idempotency-Key": "r"})
    assert first.json()["id"] == again.json()["id"] != old["id"]
    other = await door.send("POST", f"{BASE}/{old['id']}/reset", {"turn": 1}, **{"Idempotency-Key": "r"})
    assert other.status_code == 409
    assert (await house.closed(old["id"]))["status"] == "terminated"
    await door.wish(first.json()["id"], "terminate")
    assert (await house.closed(first.json()["id"]))["status"] == "terminated"


async def test_a_reset_to_nowhere_says_what_is_there(house: House, door: Door) -> None:
    workflow = await house.create(greeting())
    done = await house.closed((await door.start(workflow["id"], {"name": "x"}))["id"])
    for body, status in (({}, 422), ({"turn": 99}, 422), ({"node": "nope"}, 422), ({"turn": 0, "node": "greet"}, 422)):
        assert (await door.wish(done["id"], "reset", **body)).status_code == status
    ending = await door.wish(done["id"], "reset", turn=1)
    assert (ending.status_code, "ending" in ending.json()["error"]["message"]) == (409, True)
    assert (await door.wish("ex_none", "reset", turn=0)).status_code == 404


# ---------------------------------------------------------------- going on as another


def counting(to: int) -> Json:
    more = {"all": [{"left": "{{ trigger.n }}", "operator": "less", "right": to}]}
    again = node("again", "continue_as_new", {"input": "{{ {'n': trigger.n + 1} }}"})
    nodes = [
        node("start", "manual"),
        node("more", "condition", more),
        again,
        node("done", "set", {"values": {"n": "{{ trigger.n }}"}}),
    ]
    return graph(nodes, "start -> more", "more -true-> again", "more -false-> done")


async def test_who_waits_for_an_execution_that_goes_on_as_others_gets_the_last_ones_result(
    house: House, door: Door
) -> None:
    workflow = await house.create(counting(3), "count")
    done = await door.start(workflow["id"], {"n": 0}, wait=30, business_key="b", tags=["t"], key_policy="reject")
    assert (done["status"], done["output"]) == ("succeeded", {"n": 3})
    first = await door.told(done["id"])
    assert first["status"] == "continued"
    second = await door.told(first["continued_as"])
    assert (second["continued_from"], second["chain"]) == (done["id"], done["id"])
    assert (second["business_key"], second["tags"]) == ("b", ["t"])
    parent = await house.execute(line(node("call", "sub_workflow", {"workflow": "count", "input": {"n": 1}})))
    assert parent["output"] == {"n": 3}


# ---------------------------------------------------------------- reading


async def test_what_an_execution_is_at_is_told(house: House, door: Door, outside: Outside) -> None:
    flaky = node(
        "call", "http_request", {"url": outside.address + "/status/500"}, retry={"interval": 300, "jitter": False}
    )
    drawn = graph(
        [
            node("start", "manual"),
            node("say", "set", {"values": {"a": 1}}),
            flaky,
            node("w", "delay", {"seconds": 900}),
        ],
        "start -> say",
        "say -> call",
        "start -> w",
        timeout=5000,
    )
    workflow = await house.create(drawn)
    started = await door.start(workflow["id"], {"q": 1})
    await recorded(house, started["id"], "RetryScheduled")
    told = await door.told(started["id"])
    assert sorted(timer["kind"] for timer in told["timers"]) == ["deadline", "retry", "wait"]
    assert told["turns"] > 0
    answer = await door.told(started["id"], "/query")
    assert (answer["input"], answer["nodes"]["say"], sorted(answer["running"])) == ({"q": 1}, {"a": 1}, ["call", "w"])


async def test_the_book_can_be_read_from_either_end(house: House, door: Door) -> None:
    names = [f"n{index}" for index in range(7)]
    workflow = await house.create(line(*map(node, names)))
    done = await house.closed((await door.start(workflow["id"]))["id"])
    there = (await house.events(done["id"]))["data"]
    back: list[Json] = []
    before = ""
    while True:
        page = await door.told(done["id"], f"/events?order=newest&limit=3{before}")
        back += page["data"]
        if page["next_before"] is None:
            break
        before = f"&before={page['next_before']}"
    assert sorted(back, key=lambda event: (event["turn"], event["index"])) == there
    assert (await door.told(done["id"], "/events"))["closed"]
    assert (await door.told(done["id"], "/history"))["data"][-1]["type"] == "ExecutionSucceeded"


# ---------------------------------------------------------------- signals


async def test_a_signal_finds_the_open_execution_of_its_business_key_or_starts_one(house: House, door: Door) -> None:
    waiting_for = node("w", "wait_for_signal", {"name": "paid"})
    workflow = await house.create(line(waiting_for), "order")
    body = {"workflow": "order", "business_key": "o-1", "signal": {"name": "other", "id": "s1"}}
    first = await door.send("POST", f"{BASE}/signal-with-start", body)
    assert first.status_code == 202, first.text
    body["signal"] = {"name": "paid", "payload": {"sum": 5}, "id": "s2"}
    again = await door.send("POST", f"{BASE}/signal-with-start", body)
    assert (again.json()["id"], again.json()["signal"]) == (first.json()["id"], "s2")
    assert (await house.closed(first.json()["id"]))["output"] == {"sum": 5}
    alone = await door.start(workflow["id"])
    while not (told := await door.told(alone["id"]))["signals"]:
        await house.events(alone["id"], 0, wait=5)
    assert (told["signals"][0]["node"], told["signals"][0]["name"]) == ("w", "paid")
    assert (await door.wish(alone["id"], "signal", name="paid", payload=1)).status_code == 202
    assert (await house.closed(alone["id"]))["output"] == 1
