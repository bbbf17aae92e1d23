"""Moments of executions: kept to the second for years, whoever restarts, whatever rings too early or too late."""

import asyncio

import pytest

from linkflow.engine.cancel import cancel
from linkflow.engine.census import census
from linkflow.engine.news import tell
from linkflow.engine.start import Start, start
from linkflow.engine.wakes import wake
from linkflow.execution.events import CancelRequested
from linkflow.messages import LANE, QUEUES, TIMERS
from linkflow.ports import Index, Range
from linkflow.runtime.wiring import World
from linkflow.stores import index_keys
from linkflow.stores.records import Summary
from tests.services.dying import Died, dying
from tests.services.ticking import WORKSPACE, Host, play, workflow

DAY = 86_400.0
YEAR = 365.25 * DAY


async def waiting(world: World, seconds: float) -> str:
    target = await world.engine.workflows.get(WORKSPACE, await workflow(world, seconds))
    program = world.engine.programs.of(await world.engine.workflows.current(target))
    return await start(world.engine, Start(target, None, node=program.manual_start))


async def summary(world: World, execution: str) -> Summary:
    found = await world.engine.summaries.get(WORKSPACE, execution)
    assert found is not None
    return found


async def took(world: World, execution: str) -> float:
    found = await summary(world, execution)
    assert found.status == "succeeded"
    assert found.closed_at is not None
    return found.closed_at - found.started_at


async def next_look(world: World) -> float:
    looks = []
    for shard in range(index_keys.DUE_SHARDS):
        page = await world.table.query(Range(index_keys.due(shard), index=Index.DUE, limit=1))
        looks += [index_keys.due_moment(item.indexes[Index.DUE].sk) for item in page.items]
    return min(looks)


@pytest.mark.parametrize("seconds", [0.7, 5, 61, 899, 901, 3_600, DAY + 1])
def test_a_delay_ends_within_a_second_of_its_moment(seconds: float) -> None:
    async def script(world: World) -> None:
        execution = await waiting(world, seconds)
        await asyncio.gather(Host(world).run(seconds + 60), Host(world).run(seconds + 60))
        assert 0 <= await took(world, execution) - seconds < 1

    play("2026-11-19T12:00:07.4Z", script)


def test_ten_years_are_kept_to_the_second_and_cost_a_few_looks() -> None:
    """Hosts are awake only when the index says that there is something to look at; in between there is nothing."""

    async def script(world: World) -> None:
        begun, execution = world.clock.now(), await waiting(world, 10 * YEAR)
        await Host(world).run(5)
        looks = 0
        while (await summary(world, execution)).status == "running":
            looks += 1
            await world.clock.sleep(await next_look(world) - world.clock.now())
            await Host(world).run(600)
            assert looks < 5
        assert 0 <= await took(world, execution) - 10 * YEAR < 1
        assert world.clock.now() - begun > 10 * YEAR

    play("2026-11-19T12:00Z", script)


def test_what_ended_while_nobody_worked_goes_on_at_the_restart() -> None:
    async def script(world: World) -> None:
        execution = await waiting(world, 3 * DAY)
        await Host(world).run(DAY)
        await world.clock.sleep(10 * DAY)
        await Host(world).run(20)
        assert 0 <= await took(world, execution) - 11 * DAY < 20

    play("2026-11-19T12:00Z", script)


def test_alarms_that_ring_too_early_or_for_nothing_change_nothing() -> None:
    async def script(world: World) -> None:
        execution, other = await waiting(world, 600), await waiting(world, 600)
        await Host(world).run(5)
        for _ in range(3):
            await world.queue.send([wake(WORKSPACE, execution), wake(WORKSPACE, other)])
            await Host(world).run(5)
        await cancel(world.engine, WORKSPACE, other, "somebody", "no more")
        await Host(world).run(5)
        last = await world.engine.books.last_number(WORKSPACE, other)
        await Host(world).run(700)
        assert 0 <= await took(world, execution) - 600 < 1
        assert await world.engine.books.last_number(WORKSPACE, other) == last
        assert (await summary(world, other)).status == "cancelled"
        assert await world.queue.depth(TIMERS.name) == 0

    play("2026-11-19T12:00Z", script)


@pytest.mark.parametrize("seconds", [0.5, 300, DAY])
def test_all_queues_may_be_purged_and_the_census_finds_what_was_in_motion(seconds: float) -> None:
    async def script(world: World) -> None:
        executions = [await waiting(world, seconds) for _ in range(3)]
        for spec in QUEUES:
            while messages := await world.queue.receive(spec.name):
                await world.queue.delete(messages)
        await Host(world).run(seconds + 1_000)
        assert all([0 <= await took(world, one) - seconds <= 600 for one in executions])

    play("2026-11-19T12:00Z", script)


def test_the_census_counts_nobody_twice_and_nobody_who_is_in_the_index() -> None:
    async def script(world: World) -> None:
        await waiting(world, DAY)
        near, now = await waiting(world, 600), world.clock.now()
        await Host(world).run(5)
        assert (await summary(world, near)).check_at is None
        assert [await census(world.engine, 0.0, now + 1, now) for _ in range(2)] == [1, 0]
        assert (await summary(world, near)).check_at is not None

    play("2026-11-19T12:00Z", script)


def test_all_alarms_may_be_lost_and_the_watchdog_brings_the_moment() -> None:
    async def script(world: World) -> None:
        execution = await waiting(world, 600)
        await Host(world).run(5)
        while messages := await world.queue.receive(TIMERS.name):
            await world.queue.delete(messages)
        await Host(world, without=["timer_alarms"]).run(1_000)
        assert 0 <= await took(world, execution) - 600 <= 360

    play("2026-11-19T12:00Z", script)


def test_news_whose_wake_was_lost_is_heard_when_it_is_told_again() -> None:
    """The process dies between the write and the message; whoever brought the news brings it again."""

    async def script(world: World) -> None:
        execution = await waiting(world, 10 * YEAR)
        await Host(world).run(300)
        news = CancelRequested("somebody", "no more")
        with pytest.raises(Died):
            await tell(dying(world, 2, after=False), WORKSPACE, execution, news)
        assert await world.queue.depth(LANE.name) == 0
        await tell(world.engine, WORKSPACE, execution, news)
        await Host(world).run(5)
        assert (await summary(world, execution)).status == "cancelled"

    play("2026-11-19T12:00Z", script)
