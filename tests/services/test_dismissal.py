"""A process that is about to stop: whoever waits for a caller's sake answers as if the time had run out."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from linkflow.adapters.clock import VirtualClock, timeless_loop
from linkflow.engine.engine import Engine
from linkflow.engine.histories import forwards
from linkflow.engine.lease import Wish, poll
from linkflow.engine.results import LOOK_EVERY, await_result
from linkflow.engine.start import Start, start
from linkflow.engine.synchronous import start_and_wait
from linkflow.stores.records import Workflow
from tests.services.drawn import drawn
from tests.services.several import processes
from tests.unit.graphs import graph, node

LONG = 300.0
Waiting = Callable[[Engine, Workflow, str], Awaitable[bool]]


async def for_a_result(engine: Engine, _: Workflow, execution: str) -> bool:
    return await await_result(engine, "ws", execution, LONG) is None


async def for_its_own(engine: Engine, workflow: Workflow, _: str) -> bool:
    return (await start_and_wait(engine, Start(workflow, 1, node="start"), LONG)).state is None


async def for_events(engine: Engine, _: Workflow, execution: str) -> bool:
    page = await forwards(engine, "ws", execution, 999, 10, LONG)
    return not page.events and not page.closed


async def for_tasks(engine: Engine, _: Workflow, __: str) -> bool:
    return not await poll(engine, "ws", "idle", Wish("w", wait=LONG))


@pytest.mark.parametrize("wait", [for_a_result, for_its_own, for_events, for_tasks])
@pytest.mark.parametrize("early", [True, False])
def test_who_waits_is_let_go_empty_handed(wait: Waiting, early: bool) -> None:
    clock = VirtualClock()

    async def story() -> None:
        async with processes(1, 1, clock) as (engine,):
            job = node("job", "remote_task", config={"queue": "q", "payload": 1})
            workflow = await drawn(engine, graph([node("start", "manual"), job], "start -> job"))
            execution = await start(engine, Start(workflow, 1, node="start"))
            if early:
                engine.bells.dismiss()
            waiting = asyncio.ensure_future(wait(engine, workflow, execution))
            await clock.sleep(20.1)
            if not early:
                assert not waiting.done()
                engine.bells.dismiss()
                began = clock.now()
                assert await waiting
                assert clock.now() - began <= LOOK_EVERY
            assert waiting.done()
            assert await waiting

    with asyncio.Runner(loop_factory=lambda: timeless_loop(clock)) as runner:
        runner.run(story())


def test_work_at_a_bell_is_woken_once_and_may_wait_on() -> None:
    clock = VirtualClock()

    async def story() -> None:
        async with processes(1, 1, clock) as (engine,):
            began = clock.now()
            waiting = asyncio.ensure_future(engine.bells.wait("gate", 10, clock))
            await asyncio.sleep(0)
            engine.bells.dismiss()
            await waiting
            assert clock.now() == began
            await engine.bells.wait("gate", 10, clock)
            assert clock.now() == began + 10

    with asyncio.Runner(loop_factory=lambda: timeless_loop(clock)) as runner:
        runner.run(story())
