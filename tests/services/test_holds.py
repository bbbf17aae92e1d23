"""Holding a workflow, a workspace, the engine: what runs stops or ends, what comes waits or is refused, and everything
goes on afterwards."""

import asyncio
from dataclasses import replace

import pytest

from functions.api.workflows.service import create
from linkflow.engine.holds import Scope, hold, release
from linkflow.engine.pauses import pause
from linkflow.engine.start import Start, start
from linkflow.errors import Held, Invalid, Maintenance
from linkflow.execution.state import State
from linkflow.messages import TIMERS
from linkflow.runtime.wiring import World
from linkflow.stores.controls import Controls, Hold
from tests.services.dying import dying
from tests.services.test_schedules import dues
from tests.services.ticking import WORKSPACE, Host, play, schedule, started, workflow
from tests.unit.graphs import graph, node

EVERYTHING = Scope()
ALL_OF_IT = Scope(WORKSPACE)
DAY = 86_400.0


def other_process(world: World) -> World:
    """With its own idea of the controls."""
    return replace(world, engine=dying(world, 1_000_000_000, after=False))


async def begin(world: World, workflow_id: str) -> str:
    target = await world.engine.workflows.get(WORKSPACE, workflow_id)
    program = world.engine.programs.of(await world.engine.workflows.current(target))
    return await start(world.engine, Start(target, None, node=program.manual_start))


async def state(world: World, execution: str) -> State:
    book = await world.engine.books.load(WORKSPACE, execution)
    assert book is not None
    return book.state


async def row(world: World, *seconds: float) -> str:
    """A workflow of delays, one behind the other."""
    nodes = [node("n0", "manual"), *(node(f"n{i + 1}", "delay", {"seconds": s}) for i, s in enumerate(seconds))]
    edges = [f"n{i} -> n{i + 1}" for i in range(len(seconds))]
    made = await create(world, WORKSPACE, "row", "graph", graph(nodes, *edges))
    return made.workflow.id


@pytest.mark.parametrize("scope", [EVERYTHING, ALL_OF_IT, None], ids=["engine", "workspace", "workflow"])
def test_what_is_paused_stops_at_its_next_turn_and_goes_on_when_it_is_released(scope: Scope | None) -> None:
    async def script(world: World) -> None:
        target = await row(world, 100, 100)
        where = scope or Scope(WORKSPACE, target)
        running = asyncio.create_task(Host(world).run(3 * DAY))
        execution = await begin(world, target)
        await world.clock.sleep(50)
        await hold(world.engine, where, Hold("pause", reason="a look"))
        await world.clock.sleep(DAY)
        paused = await state(world, execution)
        assert paused.paused is not None
        assert (paused.paused.reason, paused.status) == ("a look", "running")
        turns = await world.engine.books.last_number(WORKSPACE, execution)
        later = await begin(world, target)
        await world.clock.sleep(DAY)
        assert await world.engine.books.last_number(WORKSPACE, execution) == turns
        assert (await state(world, later)).paused is not None
        released_at = world.clock.now()
        await release(world.engine, where)
        await running
        for one, left in ((execution, 100), (later, 200)):
            ended = await state(world, one)
            assert ended.status == "succeeded"
            assert 0 <= (ended.closed_at or 0) - released_at - left < 2

    play("2026-11-19T12:00Z", script)


def test_others_are_not_held() -> None:
    async def script(world: World) -> None:
        held, free = await row(world, 10), await row(world, 10)
        await hold(world.engine, Scope(WORKSPACE, held), Hold("pause"))
        one, other = await begin(world, held), await begin(world, free)
        await Host(world).run(60)
        assert (await state(world, one)).status == "running"
        assert (await state(world, other)).status == "succeeded"

    play("2026-11-19T12:00Z", script)


def test_what_is_drained_runs_to_its_end_and_what_comes_waits() -> None:
    async def script(world: World) -> None:
        target = await row(world, 100, 100)
        running = asyncio.create_task(Host(world).run(1_000))
        before = await begin(world, target)
        await world.clock.sleep(10)
        await hold(world.engine, ALL_OF_IT, Hold("drain", since=world.clock.now()))
        await world.clock.sleep(10)
        behind = await begin(world, target)
        await world.clock.sleep(400)
        assert (await state(world, before)).status == "succeeded"
        assert (await state(world, behind)).paused is not None
        await release(world.engine, ALL_OF_IT)
        await running
        assert (await state(world, behind)).status == "succeeded"

    play("2026-11-19T12:00Z", script)


def test_children_are_drained_with_their_parents() -> None:
    async def script(world: World) -> None:
        child = await row(world, 50)
        nodes = [
            node("start", "manual"),
            node("wait", "delay", {"seconds": 50}),
            node("call", "sub_workflow", {"workflow": child}),
        ]
        parent = await create(world, WORKSPACE, "parent", "graph", graph(nodes, "start -> wait", "wait -> call"))
        execution = await begin(world, parent.workflow.id)
        running = asyncio.create_task(Host(world).run(500))
        await world.clock.sleep(10)
        await hold(world.engine, ALL_OF_IT, Hold("drain", "refuse", since=world.clock.now()))
        await running
        assert (await state(world, execution)).status == "succeeded"

    play("2026-11-19T12:00Z", script)


def test_what_follows_from_what_runs_is_neither_refused_nor_left_behind() -> None:
    """A workflow that another one starts without waiting for it, and one that is started because another failed."""

    async def script(world: World) -> None:
        child = await row(world, 5)
        handler = [node("failed", "error"), node("end", "no_op")]
        await create(world, WORKSPACE, "handler", "graph", graph(handler, "failed -> end"))
        nodes = [
            node("start", "manual"),
            node("wait", "delay", {"seconds": 50}),
            node("call", "sub_workflow", {"workflow": child, "wait": False}),
            node("fail", "set", {"values": {"x": "{{ $error('no') }}"}}),
        ]
        drawn = graph(nodes, "start -> wait", "wait -> call", "call -> fail")
        drawn["settings"] = {"error_workflow": "handler"}
        parent = await create(world, WORKSPACE, "parent", "graph", drawn)
        await begin(world, parent.workflow.id)
        running = asyncio.create_task(Host(world).run(200))
        await world.clock.sleep(10)
        await hold(world.engine, EVERYTHING, Hold("drain", "refuse", since=world.clock.now()))
        await running
        ended = {one.trigger: one.status for one in await started(world)}
        assert ended == {"manual": "failed", "called": "succeeded", "error": "succeeded"}

    play("2026-11-19T12:00Z", script)


def test_starts_are_refused_where_that_was_wanted_and_told_why() -> None:
    async def script(world: World) -> None:
        target = await row(world, 1)
        await hold(world.engine, Scope(WORKSPACE, target), Hold("pause", "refuse", reason="being mended"))
        with pytest.raises(Held, match=r"The workflow is paused \(being mended\)"):
            await begin(world, target)
        await release(world.engine, Scope(WORKSPACE, target))
        await hold(world.engine, ALL_OF_IT, Hold("drain", "refuse"))
        with pytest.raises(Held, match="The workspace is being drained"):
            await begin(world, target)
        await hold(world.engine, EVERYTHING, Hold("drain", "refuse"))
        with pytest.raises(Maintenance):
            await begin(world, target)

    play("2026-11-19T12:00Z", script)


def test_a_hold_reaches_another_process_within_half_a_minute_and_its_end_at_once() -> None:
    async def script(world: World) -> None:
        target, other = await row(world, *[1.0] * 100), other_process(world)
        execution = await begin(world, target)
        running = asyncio.create_task(Host(other).run(600))
        await world.clock.sleep(5)
        await hold(world.engine, ALL_OF_IT, Hold("pause"))
        await world.clock.sleep(31)
        turns = await world.engine.books.last_number(WORKSPACE, execution)
        await world.clock.sleep(100)
        assert await world.engine.books.last_number(WORKSPACE, execution) == turns
        await release(world.engine, ALL_OF_IT)
        await world.clock.sleep(5)
        assert (await world.engine.books.last_number(WORKSPACE, execution) or 0) > (turns or 0)
        await running
        assert (await state(world, execution)).status == "succeeded"

    play("2026-11-19T12:00Z", script)


def test_many_are_let_go_page_by_page_and_cost_nothing_meanwhile() -> None:
    async def script(world: World) -> None:
        target = await row(world, 10)
        await hold(world.engine, ALL_OF_IT, Hold("pause"))
        executions = [await begin(world, target) for _ in range(900)]
        running = asyncio.create_task(Host(world).run(3 * 3_600))
        await world.clock.sleep(2 * 3_600)
        assert {await world.engine.books.last_number(WORKSPACE, one) for one in executions} == {1}
        await release(world.engine, ALL_OF_IT)
        await running
        assert {one.status for one in await started(world)} == {"succeeded"}

    play("2026-11-19T12:00Z", script)


def test_the_watchdog_lets_go_what_no_message_did() -> None:
    async def script(world: World) -> None:
        target = await row(world, 10)
        await hold(world.engine, ALL_OF_IT, Hold("pause"))
        execution = await begin(world, target)
        await Host(world).run(600)
        await release(world.engine, ALL_OF_IT)
        while messages := await world.queue.receive(TIMERS.name):
            await world.queue.delete(messages)
        await Host(world).run(2 * 3_600)
        assert (await state(world, execution)).status == "succeeded"

    play("2026-11-19T12:00Z", script)


def test_somebodys_own_pause_outlasts_the_hold() -> None:
    async def script(world: World) -> None:
        execution = await begin(world, await row(world, 600, 10))
        await Host(world).run(10)
        await pause(world.engine, WORKSPACE, execution, "us_anna", "mine")
        await hold(world.engine, ALL_OF_IT, Hold("pause"))
        await Host(world).run(100)
        await release(world.engine, ALL_OF_IT)
        await Host(world).run(3 * 3_600)
        paused = (await state(world, execution)).paused
        assert paused is not None
        assert paused.by == "us_anna"

    play("2026-11-19T12:00Z", script)


@pytest.mark.parametrize(
    ("misfire", "expected"), [("skip", []), ("one", ["19T15:00"]), ("all", ["19T13:00", "19T14:00", "19T15:00"])]
)
def test_schedules_of_what_is_held_follow_their_misfire_policy(misfire: str, expected: list[str]) -> None:
    async def script(world: World) -> None:
        await schedule(world, await workflow(world), every=3_600, misfire=misfire)
        await hold(world.engine, ALL_OF_IT, Hold("pause"))
        await Host(world).run(3 * 3_600)
        assert await dues(world) == []
        await release(world.engine, ALL_OF_IT)
        await Host(world).run(600)
        assert await dues(world) == expected

    play("2026-11-19T12:30Z", script)


# ---------------------------------------------------------------- node types and features


def test_a_node_type_that_is_switched_off_is_told_when_a_workflow_is_made_and_when_it_runs() -> None:
    async def script(world: World) -> None:
        called = node("call", "http_request", {"url": "http://x.test"})
        nodes = [
            node("start", "manual"),
            node("each", "loop", {"items": [1], "body": {"nodes": [called]}}),
        ]
        made = await create(world, WORKSPACE, "w", "graph", graph(nodes, "start -> each"))
        await world.engine.switchboard.change(lambda _: Controls(disabled_nodes={WORKSPACE: ("http_request",)}))
        execution = await begin(world, made.workflow.id)
        await Host(world).run(60)
        failure = (await state(world, execution)).failure
        assert failure is not None
        assert failure.error == "LinkFlow.NodeDisabled"
        assert "'http_request' is switched off in this workspace" in str(failure.cause)
        with pytest.raises(Invalid) as raised:
            await create(world, WORKSPACE, "w", "graph", graph(nodes, "start -> each"))
        assert [fault.path for fault in raised.value.details] == ["$.definition.nodes[1].config.body.nodes[0].type"]
        task = {
            "Type": "Task",
            "Resource": "linkflow:http_request",
            "Parameters": {"url": "http://x.test"},
            "End": True,
        }
        with pytest.raises(Invalid) as raised:
            await create(world, WORKSPACE, "w", "asl", {"StartAt": "a", "States": {"a": task}})
        assert [fault.path for fault in raised.value.details] == ["$.definition.States.a.Resource"]
        assert (await create(world, "ws_other", "w", "graph", graph(nodes, "start -> each"))).workflow.id

    play("2026-11-19T12:00Z", script)


def test_schedules_can_be_switched_off_for_all() -> None:
    async def script(world: World) -> None:
        await schedule(world, await workflow(world), every=60, misfire="skip")
        await world.engine.switchboard.change(lambda _: Controls(features_off=("schedules",)))
        await Host(world).run(600)
        assert await dues(world) == []
        await world.engine.switchboard.change(lambda _: Controls())
        await Host(world).run(601)
        assert len(await dues(world)) >= 10

    play("2026-11-19T12:00Z", script)
