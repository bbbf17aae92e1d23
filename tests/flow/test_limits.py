"""How many executions of a workflow may run at once, and how often one may begin."""

import asyncio
from typing import Any

import pytest

from tests.flow.house import House
from tests.flow.outside import Outside
from tests.flow.test_state_machines import created
from tests.unit.graphs import graph, node

Json = Any


def limited(**settings: Any) -> Json:
    """Calls outside once, which takes as long as the test wants (a remote task in between)."""
    held = node("hold", "remote_task", config={"queue": "hold", "payload": "{{ trigger.n }}"})
    return graph([node("start", "manual"), held], "start -> hold", **settings)


async def let_go(house: House, worker: str = "w", wait: float = 10) -> Json:
    """End the oldest one that runs; what it was started with."""
    asked = {"worker": worker, "wait": wait}
    (task,) = (await house.http.post("/api/v1/task-queues/hold/poll", json=asked)).json()["data"]
    body = {"token": task["token"], "output": task["input"]}
    await house.http.post("/api/v1/task-queues/hold/complete", json=body)
    return task["input"]


async def running(house: House) -> int:
    found = (await house.http.get("/api/v1/task-queues/hold")).json()
    return int(found["waiting"] + found["leased"])


async def settled(house: House, identifiers: list[str], queued: int) -> list[Json]:
    """The executions, once so many of them wait."""
    seen: list[Json] = []
    for _ in range(200):
        seen = [await house.execution(one) for one in identifiers]
        ready = sum(one["queued"] is not None for one in seen) == queued
        if ready and await running(house) == sum(one["status"] == "running" for one in seen) - queued:
            return seen
        await asyncio.sleep(0.05)
    raise AssertionError([(one["status"], one["queued"]) for one in seen])


async def test_those_above_the_limit_wait_their_turn_and_are_seen_to_wait(house: House) -> None:
    workflow = await house.create(limited(concurrency={"limit": 2}))
    started = []
    for number in range(5):
        started.append((await house.start(workflow["id"], {"n": number}))["id"])
        await asyncio.sleep(0.02)
    seen = await settled(house, started, queued=3)
    assert [one["queued"] for one in seen].count("concurrency") == 3
    ended = []
    for left in (2, 1, 0, 0, 0):
        ended.append(await let_go(house))
        await settled(house, started, queued=left)
    assert sorted(ended) == [0, 1, 2, 3, 4]
    assert [(await house.closed(one))["status"] for one in started] == ["succeeded"] * 5
    assert (await house.start(workflow["id"], {"n": 9}))["id"]
    assert await let_go(house) == 9, "the slots are free again"


async def test_each_value_of_the_key_has_a_limit_of_its_own(house: House) -> None:
    workflow = await house.create(limited(concurrency={"limit": 1, "key": "{{ trigger.customer }}"}))
    given = [{"n": 0, "customer": "a"}, {"n": 1, "customer": "a"}, {"n": 2, "customer": "b"}]
    started = [(await house.start(workflow["id"], one))["id"] for one in given]
    seen = await settled(house, started, queued=1)
    assert seen[2]["queued"] is None
    for _ in range(3):
        await let_go(house)
    assert [(await house.closed(one))["status"] for one in started] == ["succeeded"] * 3


@pytest.mark.parametrize(
    ("when_full", "status", "code"), [("skip", "cancelled", None), ("fail", "failed", "LinkFlow.LimitReached")]
)
async def test_one_too_many_is_skipped_or_fails_where_the_workflow_says_so(
    house: House, when_full: str, status: str, code: str | None
) -> None:
    workflow = await house.create(limited(concurrency={"limit": 1, "when_full": when_full}))
    first = (await house.start(workflow["id"], {"n": 1}))["id"]
    await settled(house, [first], queued=0)
    second = await house.start(workflow["id"], {"n": 2}, wait=20)
    assert (second["status"], (second["error"] or {}).get("code")) == (status, code)
    await let_go(house)
    assert (await house.closed(first))["status"] == "succeeded"


async def test_the_oldest_makes_room_for_a_newer_one(house: House) -> None:
    workflow = await house.create(limited(concurrency={"limit": 1, "when_full": "cancel_oldest"}))
    first = (await house.start(workflow["id"], {"n": 1}))["id"]
    await settled(house, [first], queued=0)
    second = (await house.start(workflow["id"], {"n": 2}))["id"]
    assert (await house.closed(first))["status"] == "cancelled"
    assert await let_go(house) == 2
    assert (await house.closed(second))["status"] == "succeeded"


async def test_of_many_that_start_in_quick_succession_only_the_newest_lives(house: House) -> None:
    workflow = await house.create(limited(concurrency={"limit": 1, "when_full": "cancel_oldest"}))
    started = [(await house.start(workflow["id"], {"n": number}))["id"] for number in range(8)]
    ends = [(await house.closed(one))["status"] for one in started[:-1]]
    assert ends == ["cancelled"] * 7
    while await let_go(house) != 7:
        """(One before it had begun already, and its task was not withdrawn yet.)"""
    assert (await house.closed(started[-1]))["status"] == "succeeded"


async def test_one_that_is_cancelled_in_line_leaves_it(house: House) -> None:
    workflow = await house.create(limited(concurrency={"limit": 1}))
    started = [(await house.start(workflow["id"], {"n": number}))["id"] for number in range(3)]
    seen = await settled(house, started, queued=2)
    waiting = [one["id"] for one in seen if one["queued"]]
    await house.http.post(f"/api/v1/executions/{waiting[0]}/cancel", json={})
    assert (await house.closed(waiting[0]))["status"] == "cancelled"
    await let_go(house)
    await let_go(house)
    assert (await house.closed(waiting[1]))["status"] == "succeeded"


async def test_a_rate_spreads_beginnings_over_time(house: House) -> None:
    workflow = await house.create(graph([node("start", "manual")], rate={"limit": 2, "per_seconds": 2}))
    started = [(await house.start(workflow["id"], number))["id"] for number in range(4)]
    ends = [(await house.closed(one)) for one in started]
    assert [one["status"] for one in ends] == ["succeeded"] * 4
    begun = sorted((one["closed_at"], one["started_at"]) for one in ends)
    assert begun[0][0] < begun[-1][0]


async def test_a_workflow_that_waits_for_itself_rides_on_its_own_slot(house: House) -> None:
    """Else the inner one would wait for the outer one, which waits for it."""
    inner = node("inner", "sub_workflow", config={"workflow": "{{ workflow.id }}", "input": {"depth": 1}})
    choice = node("deep", "condition", config={"expression": "{{ $exists(trigger.depth) }}"})
    drawn = graph(
        [node("start", "manual"), choice, inner],
        "start -> deep",
        "deep -false-> inner",
        concurrency={"limit": 1},
    )
    workflow = await house.create(drawn)
    done = await house.start(workflow["id"], {}, wait=30)
    assert done["status"] == "succeeded"


async def test_the_faults_of_limits_are_told_with_all_others(house: House) -> None:
    drawn = limited(concurrency={"limit": 0, "key": "x"}, rate={"limit": 1})
    answer = await house.http.post("/api/v1/workflows", json={"name": "x", "definition": drawn})
    assert {fault["path"] for fault in answer.json()["error"]["details"]} == {
        "$.definition.settings.concurrency.limit",
        "$.definition.settings.rate.per_seconds",
    }
    drawn = limited(concurrency={"limit": 1, "key": "customer"})
    answer = await house.http.post("/api/v1/workflows", json={"name": "x", "definition": drawn})
    (fault,) = answer.json()["error"]["details"]
    assert (fault["path"], fault["code"]) == ("$.definition.settings.concurrency.key", "constant_key")


async def test_outside_is_never_called_by_more_at_once_than_the_limit(house: House, outside: Outside) -> None:
    call = node("call", "http_request", config={"url": f"{outside.address}/echo"})
    drawn = graph([node("start", "manual"), call], "start -> call", concurrency={"limit": 3})
    workflow = await house.create(drawn)
    started = [(await house.start(workflow["id"], number))["id"] for number in range(12)]
    assert [(await house.closed(one))["status"] for one in started] == ["succeeded"] * 12


async def test_a_state_machine_has_limits_in_a_field_of_its_own(house: House) -> None:
    activity = {"Type": "Task", "Resource": "arn:aws:states:us-east-1:111111111111:activity:hold", "End": True}
    machine = {"StartAt": "Hold", "States": {"Hold": activity}, "LinkFlow": {"concurrency": {"limit": 1}}}
    workflow = await created(house, machine)
    started = [(await house.start(workflow, number))["id"] for number in range(2)]
    await settled(house, started, queued=1)
    await let_go(house)
    await let_go(house)
    assert [(await house.closed(one))["status"] for one in started] == ["succeeded"] * 2
    wrong = {"dialect": "asl", "name": "x", "definition": {**machine, "LinkFlow": {"concurrency": {"limit": 0}}}}
    answer = await house.http.post("/api/v1/workflows", json=wrong)
    (fault,) = answer.json()["error"]["details"]
    assert fault["path"] == "$.definition.LinkFlow.concurrency.limit"
