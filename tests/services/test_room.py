"""The oldest make room for the newest, in whatever order they come and whoever dies meanwhile."""

import asyncio
from random import Random

import pytest

from linkflow.engine.start import Start, start
from linkflow.engine.visit import visit
from linkflow.engine.watch import watch
from linkflow.messages import LANE
from tests.services.dying import Died, dying
from tests.services.stage import Stage, Working
from tests.unit.graphs import graph, node

MANY = 8


async def crowd(limit: int) -> tuple[Stage, list[str]]:
    """Executions that wait for a day once they may begin, in the order of their starts."""
    stage = Stage(Working())
    room = {"limit": limit, "when_full": "cancel_oldest"}
    body = graph([node("start", "manual"), node("w", "delay", {"seconds": 86_400})], "start -> w", concurrency=room)
    workflow, started = await stage.workflow(body), []
    for _ in range(MANY):
        started.append(await start(stage.world.engine, Start(workflow, {}, node="start")))
        await stage.clock.advance(0.5)
    await stage.world.queue.receive(LANE.name, 100)
    return stage, started


async def settle(stage: Stage) -> None:
    """Visit all that the lane or the watchdog would bring a visit to."""
    for _ in range(12):
        await stage.clock.advance(400)
        await watch(stage.world.engine, stage.clock.now())
        for message in await stage.world.queue.receive(LANE.name, 100):
            await visit(stage.world.engine, "ws", message.group or "", resumed=True)


async def statuses(stage: Stage, started: list[str]) -> list[tuple[str, bool]]:
    states = [book.state for one in started if (book := await stage.world.engine.books.load("ws", one)) is not None]
    return [(state.status, state.admitted and not state.closed) for state in states]


def expected(limit: int) -> list[tuple[str, bool]]:
    return [("cancelled", False)] * (MANY - limit) + [("running", True)] * limit


@pytest.mark.parametrize("seed", range(12))
async def test_only_the_newest_stay_in_whatever_order_they_come(seed: int) -> None:
    random = Random(seed)
    limit = random.randint(1, 3)
    stage, started = await crowd(limit)
    order = random.sample(started, MANY)
    for at in range(0, MANY, 4):
        await asyncio.gather(*(stage.visit(one) for one in order[at : at + 4]))
    await settle(stage)
    assert await statuses(stage, started) == expected(limit)
    await stage.world.close()


@pytest.mark.parametrize("after", [False, True])
async def test_whoever_dies_while_he_makes_room_makes_it_when_he_comes_again(after: bool) -> None:
    deaths = 0
    for calls in range(24):
        stage, started = await crowd(2)
        for one in started[:-1]:
            await stage.visit(one)
        try:
            await visit(dying(stage.world, calls, after=after), "ws", started[-1])
        except Died:
            deaths += 1
        await settle(stage)
        assert await statuses(stage, started) == expected(2), calls
        await stage.world.close()
    assert deaths > 8


async def test_one_that_was_put_off_counts_from_when_it_could_begin() -> None:
    stage, started = await crowd(1)
    engine = stage.world.engine
    book = await engine.books.load("ws", started[0])
    assert book is not None
    workflow = await engine.workflows.get("ws", book.state.names.workflow_id)
    later = await start(engine, Start(workflow, {}, node="start", begins=stage.clock.now() + 60))
    younger = await start(engine, Start(workflow, {}, node="start"))
    await stage.visit(younger)
    await settle(stage)
    assert await statuses(stage, [younger, later]) == [("cancelled", False), ("running", True)]
    await stage.world.close()
