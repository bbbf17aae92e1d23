"""A synchronous start where the process does not stay (Lambda): the starter makes the visit itself, and is alone."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from linkflow.adapters.through import Through
from linkflow.engine.cancel import cancel
from linkflow.engine.signal import signal
from linkflow.engine.start import Start
from linkflow.engine.synchronous import MARGIN, Outcome, start_and_wait
from linkflow.engine.watch import watch
from linkflow.execution.events import HandedOver, VisitResumed
from linkflow.execution.signals import SignalReceived
from linkflow.messages import LANE, TASKS, TIMERS
from linkflow.ports import Condition, Item, Send
from linkflow.runtime.settings import Settings
from tests.services.other_ports import over
from tests.services.stage import NAMES, Stage, Working, line
from tests.unit.graphs import graph, node


@dataclass(slots=True)
class Meanwhile(Through):
    """A table before whose hand-over something happens, once."""

    happens: Callable[[], Awaitable[None]] | None

    async def put(self, item: Item, when: Condition = None, sends: Sequence[Send] = ()) -> Item | None:
        if b"HandedOver" in item.body and self.happens is not None:
            happens, self.happens = self.happens, None
            await happens()
        return await self.table.put(item, when, sends)


LAMBDA = Settings(resident=False, visit_seconds=840)


async def started(stage: Stage, definition: Any, seconds: float) -> Outcome:
    workflow = await stage.workflow(definition)
    return await start_and_wait(stage.world.engine, Start(workflow, {"n": 1}, node="start", execution="ex_1"), seconds)


async def depths(stage: Stage) -> tuple[int, int]:
    return await stage.world.queue.depth(LANE.name), await stage.world.queue.depth(TIMERS.name)


async def kinds(stage: Stage) -> list[type]:
    return [type(event) for one in await stage.world.engine.books.whole("ws", "ex_1") for event in one.turn.events]


async def test_a_short_execution_is_over_without_any_message() -> None:
    stage = Stage(Working(), LAMBDA)
    outcome = await started(stage, line(), 10)
    assert outcome.state is not None
    assert (outcome.state.status, outcome.started.new) == ("succeeded", True)
    assert await depths(stage) == (0, 0)
    assert HandedOver not in await kinds(stage)
    summary = await stage.world.engine.summaries.get("ws", "ex_1")
    assert summary is not None
    assert summary.status == "succeeded"


async def test_a_visit_that_somebody_wakes_meanwhile_leaves_it_alone() -> None:
    working = Working(stop=3)
    stage = Stage(working, LAMBDA)
    starting = asyncio.create_task(started(stage, line(), 20))
    await working.stopped.wait()
    state = await stage.visit("ex_1")
    assert state.status == "running"
    assert len(working.calls) == 3
    assert (await depths(stage))[1] == 1
    working.go.set()
    outcome = await starting
    assert outcome.state is not None
    assert [name for name, _ in working.calls] == NAMES


async def test_when_time_runs_out_the_lane_takes_over() -> None:
    working = Working(stop=3)
    stage = Stage(working, LAMBDA)
    starting = asyncio.create_task(started(stage, line(), 5))
    await working.stopped.wait()
    await stage.clock.advance(6)
    assert (await starting).state is None
    assert HandedOver in await kinds(stage)
    assert await depths(stage) == (1, 0)
    working.go.set()
    assert (await stage.visit("ex_1")).status == "succeeded"
    assert [name for name, _ in working.calls] == [*NAMES[:3], *NAMES[2:]]
    assert len({key for _, key in working.calls}) == len(NAMES)


async def test_one_that_must_wait_is_handed_over_with_its_alarm() -> None:
    stage = Stage(Working(), LAMBDA)
    waits = graph([node("start", "manual"), node("w", "delay", {"seconds": 100}), node("b")], "start -> w", "w -> b")
    starting = asyncio.create_task(started(stage, waits, 5))
    while HandedOver not in (await kinds(stage) if await stage.turns("ex_1") else []):  # noqa: ASYNC110 (its own time)
        await asyncio.sleep(0)
    await stage.clock.advance(6)
    assert (await starting).state is None
    assert await depths(stage) == (0, 1)
    await stage.clock.advance(100)
    assert (await stage.visit("ex_1")).status == "succeeded"


@pytest.mark.parametrize("dies_at", [1, 4])
async def test_a_starter_that_dies_leaves_it_to_the_watchdog(dies_at: int) -> None:
    working = Working(stop=dies_at)
    stage = Stage(working, LAMBDA)
    starting = asyncio.create_task(started(stage, line(), 5))
    await working.stopped.wait()
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    await watch(stage.world.engine, stage.clock.now())
    assert await depths(stage) == (0, 0)
    await stage.clock.advance(5 + MARGIN + 2)
    await watch(stage.world.engine, stage.clock.now())
    assert (await depths(stage))[0] == 1
    assert (await stage.visit("ex_1")).status == "succeeded"
    assert len({key for _, key in working.calls}) == len(NAMES)
    assert VisitResumed in await kinds(stage)


async def test_a_cancel_reaches_it_at_once() -> None:
    working = Working(stop=3)
    stage = Stage(working, LAMBDA)
    starting = asyncio.create_task(started(stage, line(), 20))
    await working.stopped.wait()
    await cancel(stage.world.engine, "ws", "ex_1", "us_1", "enough")
    await stage.clock.advance(2)
    outcome = await starting
    assert outcome.state is not None
    assert outcome.state.status == "cancelled"


async def test_what_must_not_run_twice_is_left_to_the_lane() -> None:
    working = Working()
    stage = Stage(working, LAMBDA)
    once = line()
    once["nodes"][4]["at_most_once"] = True
    starting = asyncio.create_task(started(stage, once, 5))
    while HandedOver not in (await kinds(stage) if await stage.turns("ex_1") else []):  # noqa: ASYNC110 (its own time)
        await asyncio.sleep(0)
    assert [name for name, _ in working.calls] == NAMES[:3]
    assert (await stage.visit("ex_1")).status == "succeeded"
    await stage.clock.advance(1)
    outcome = await starting
    assert outcome.state is not None
    assert [name for name, _ in working.calls] == NAMES


async def test_what_follows_from_news_that_came_while_it_was_handed_over_is_sent() -> None:
    """The hand-over was put together with the task that followed, whose message nobody sent."""
    stage = Stage(Working(), LAMBDA)
    nodes = [node("start", "manual"), node("hear", "wait_for_signal", {"name": "go"}), node("far", timeout=3_600)]
    workflow = await stage.workflow(graph(nodes, "start -> hear", "hear -> far"))

    async def heard() -> None:
        await signal(stage.world.engine, "ws", "ex_1", SignalReceived("go", 1, "s1"))

    world = over(stage.world, Meanwhile(stage.world.table, heard), stage.world.queue)
    request = Start(workflow, {}, node="start", execution="ex_1")
    starting = asyncio.create_task(start_and_wait(world.engine, request, 5))
    while not starting.done():
        await stage.clock.advance(1)
    assert await stage.world.queue.depth(TASKS.name) == 1
