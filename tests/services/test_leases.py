"""Leases under any interleaving: whatever workers do and however often their leases lapse, a task has one outcome."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest

from linkflow.adapters.clock import VirtualClock, timeless_loop
from linkflow.engine import callbacks
from linkflow.engine.callbacks import Refusal
from linkflow.engine.census import SETTLED, census
from linkflow.engine.engine import Engine
from linkflow.engine.lease import Leased, Wish, backlog, lapse_all, poll
from linkflow.engine.news import tell
from linkflow.engine.pauses import pause, resume
from linkflow.engine.start import Start, start
from linkflow.engine.visit import visit
from linkflow.errors import Conflict
from linkflow.execution.events import LeaseLapsed, TaskFailed, TaskSucceeded, TaskTimedOut
from linkflow.language.json import Json
from linkflow.messages import LANE
from tests.services.drawn import drawn
from tests.services.several import processes
from tests.unit.graphs import graph, node


@asynccontextmanager
async def waiting(seed: int, clock: VirtualClock, **more: Json) -> AsyncIterator[tuple[list[Engine], str]]:
    """Two processes, and an execution whose one task waits for a worker."""
    async with processes(seed, 2, clock) as engines:
        engine = engines[0]
        job = node("job", "remote_task", config={"queue": "q", "payload": 1}, **more)
        definition = graph([node("start", "manual"), job], "start -> job")
        workflow = await drawn(engine, definition)
        execution = await start(engine, Start(workflow, 1, node="start"))
        await visit(engine, "ws", execution)
        yield engines, execution


async def worker(engine: Engine, clock: VirtualClock, random: Random, name: str) -> int:
    """Takes what it gets, dawdles, and does what comes to its mind; how many of its outcomes were taken."""
    taken = 0
    for _ in range(12):
        for leased in await poll(engine, "ws", "q", Wish(name, wait=random.choice([0.0, 5.0]), seconds=10.0)):
            taken += await _end(engine, clock, random, leased, name)
        await clock.sleep(random.choice([0.0, 1.0, 7.0]))
        if random.random() < 0.5:
            await lapse_all(engine, clock.now())
    return taken


async def _end(engine: Engine, clock: VirtualClock, random: Random, leased: Leased, name: str) -> int:
    try:
        for _ in range(random.randrange(3)):
            await clock.sleep(random.choice([1.0, 9.0, 25.0]))
            await callbacks.heartbeat(engine, "ws", leased.token, name)
        match random.randrange(4):
            case 0:
                return 0  # (it forgot)
            case 1:
                await callbacks.fail(engine, "ws", leased.token, Refusal("Broken", None))
            case _:
                await callbacks.succeed(engine, "ws", leased.token, name)
    except Conflict:
        return 0
    return 1


@pytest.mark.parametrize("seed", range(60))
def test_any_lapses_heartbeats_and_outcomes_come_to_one_outcome(seed: int) -> None:
    clock, random = VirtualClock(), Random(seed)

    async def story() -> None:
        async with waiting(seed, clock) as (engines, execution):
            work = (worker(random.choice(engines), clock, random, f"w{number}") for number in range(3))
            await asyncio.gather(*work)
            for _ in range(5):
                await clock.sleep(60)
                await lapse_all(engines[1], clock.now())
                await visit(engines[1], "ws", execution)
            turns = await engines[0].books.turns("ws", execution)
            events = [event for one in turns for event in one.turn.events]
            outcomes = [one for one in events if isinstance(one, TaskSucceeded | TaskFailed | TaskTimedOut)]
            lapses = [one.lease for one in events if isinstance(one, LeaseLapsed)]
            assert len(outcomes) <= 1
            assert lapses == sorted(set(lapses)), "each lapse is counted once"
            left = await backlog(engines[0], "ws", "q")
            assert (left.waiting + left.leased == 0) == (len(outcomes) == 1), "it leaves the queue with its outcome"
            book = await engines[0].books.load("ws", execution)
            assert book is not None
            assert book.state.closed == (len(outcomes) == 1)

    with asyncio.Runner(loop_factory=lambda: timeless_loop(clock)) as runner:
        runner.run(story())


@pytest.mark.parametrize("seed", range(10))
def test_two_workers_never_hold_one_lease(seed: int) -> None:
    clock = VirtualClock()

    async def story() -> None:
        async with waiting(seed, clock) as (engines, _):
            wishes = [poll(engines[n % 2], "ws", "q", Wish(f"w{n}")) for n in range(6)]
            assert sum(len(found) for found in await asyncio.gather(*wishes)) == 1

    with asyncio.Runner(loop_factory=lambda: timeless_loop(clock)) as runner:
        runner.run(story())


def test_an_offer_that_was_lost_is_made_again_by_the_census() -> None:
    clock = VirtualClock()

    async def story() -> None:
        async with waiting(0, clock, timeout=600) as (engines, _):
            (standing,) = [one async for one in engines[0].leases.standing("ws", "q")]
            await engines[0].leases.withdraw(standing.offer.key)
            assert await poll(engines[0], "ws", "q", Wish("w")) == []
            await clock.sleep(100)
            assert await census(engines[0], 0.0, clock.now() - SETTLED, clock.now()) == 1
            assert len(await poll(engines[0], "ws", "q", Wish("w"))) == 1

    with asyncio.Runner(loop_factory=lambda: timeless_loop(clock)) as runner:
        runner.run(story())


def test_a_lease_that_lapses_while_its_execution_is_paused_keeps_nobody_from_work() -> None:
    clock = VirtualClock()

    async def story() -> None:
        async with waiting(0, clock) as (engines, execution):
            (first,) = await poll(engines[0], "ws", "q", Wish("w", seconds=10))
            await pause(engines[0], "ws", execution, "somebody", "a look")
            await clock.sleep(11)
            assert await poll(engines[0], "ws", "q", Wish("w")) == []
            assert await lapse_all(engines[0], clock.now()) == 0
            await resume(engines[0], "ws", execution, "somebody")
            (second,) = await poll(engines[0], "ws", "q", Wish("w"))
            assert (first.lease, second.lease) == (1, 2)

    with asyncio.Runner(loop_factory=lambda: timeless_loop(clock)) as runner:
        runner.run(story())


def test_a_lease_that_lapses_while_nobody_polls_is_seen_to_by_the_minute() -> None:
    clock = VirtualClock()

    async def story() -> None:
        async with waiting(0, clock, at_most_once=True) as (engines, execution):
            assert len(await poll(engines[0], "ws", "q", Wish("w", seconds=10))) == 1
            assert await lapse_all(engines[0], clock.now()) == 0
            await clock.sleep(11)
            assert await lapse_all(engines[0], clock.now()) == 1
            state = await visit(engines[0], "ws", execution)
            assert state is not None
            assert state.failure is not None
            assert state.failure.error == "LinkFlow.Interrupted"
            assert await lapse_all(engines[0], clock.now()) == 0

    with asyncio.Runner(loop_factory=lambda: timeless_loop(clock)) as runner:
        runner.run(story())


def test_whoever_finds_a_lapsed_lease_seen_to_wakes_the_execution_once_more() -> None:
    """Who wrote the outcome had died before the wake, and the execution waited for it until its next far moment."""
    clock = VirtualClock()

    async def story() -> None:
        async with waiting(0, clock, at_most_once=True) as (engines, execution):
            assert len(await poll(engines[0], "ws", "q", Wish("w", seconds=10))) == 1
            (standing,) = [one async for one in engines[0].leases.standing("ws", "q")]
            outcome = TaskFailed(standing.offer.scope, standing.offer.task, "LinkFlow.Interrupted", None)
            await tell(engines[0], "ws", execution, outcome)
            await engines[0].queue.delete(await engines[0].queue.receive(LANE.name, 100))
            await clock.sleep(11)
            assert await lapse_all(engines[0], clock.now()) == 1
            assert [message.group for message in await engines[0].queue.receive(LANE.name, 100)] == [execution]

    with asyncio.Runner(loop_factory=lambda: timeless_loop(clock)) as runner:
        runner.run(story())
