"""Moments of executions: kept to the second for years, whoever restarts, whatever rings too early or too late."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from linkflow.adapters.through import Through
from linkflow.engine.cancel import cancel
from linkflow.engine.census import census
from linkflow.engine.news import tell
from linkflow.engine.programs import Programs
from linkflow.engine.start import Start, start
from linkflow.engine.visit import visit
from linkflow.engine.wakes import wake
from linkflow.execution.events import CancelRequested, RetryScheduled, TaskFailed
from linkflow.messages import LANE, QUEUES, TIMERS
from linkflow.nodes.base import BaseNode, TaskContext, TaskNode, TaskResult
from linkflow.nodes.catalog import NODES
from linkflow.ports import Condition, Index, Item, Range, Send
from linkflow.runtime.wiring import World
from linkflow.stores import index_keys
from linkflow.stores.records import Summary
from tests.services.drawn import drawn
from tests.services.dying import Died, dying
from tests.services.other_ports import over
from tests.services.ticking import WORKSPACE, Host, play, workflow
from tests.unit.graphs import graph, node

DAY = 86_400.0
YEAR = 365.25 * DAY


class Job(TaskNode):
    type: ClassVar[str] = "job"

    async def run(self, _: TaskContext) -> TaskResult:
        await asyncio.sleep(1)
        return TaskResult("done")


KINDS: dict[str, type[BaseNode]] = {**NODES, "job": Job}


@dataclass(slots=True)
class Slow(Through):
    """A table that takes its time to put what happened here; meanwhile something happens elsewhere, once."""

    happens: Callable[[], Awaitable[None]] | None = None

    async def put(self, item: Item, when: Condition = None, sends: Sequence[Send] = ()) -> Item | None:
        if b"TaskSucceeded" in item.body and self.happens is not None:
            happens, self.happens = self.happens, None
            await happens()
        return await self.table.put(item, when, sends)


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


def test_a_pause_begins_with_the_failure_that_it_follows_also_where_that_came_in_between() -> None:
    """A turn took five seconds and met the failure; the pause was counted from when the turn was decided."""

    async def script(world: World) -> None:
        nodes = [
            node("start", "manual"),
            node("here", "job"),
            node("there", "wait_for_callback", retry={"max_attempts": 2, "interval": 60, "jitter": False}),
        ]
        slow = Slow(world.table)
        engine = over(world, slow, world.queue).engine
        engine = replace(engine, nodes=KINDS, programs=Programs(engine.workflows, KINDS))
        target = await drawn(engine, graph(nodes, "start -> here", "start -> there"), WORKSPACE)
        execution = await start(engine, Start(target, None, node="start"))

        async def fails() -> None:
            await world.clock.sleep(5)
            book = await engine.books.load(WORKSPACE, execution)
            assert book is not None
            now, scope = world.clock.now(), next(one for one in book.state.scopes.values() if one.state == "there")
            assert scope.task is not None
            failed = TaskFailed(scope.id, scope.task.task, "No", "not today", now, now)
            await tell(engine, WORKSPACE, execution, failed)

        slow.happens = fails
        await visit(engine, WORKSPACE, execution)
        events = [event for one in await engine.books.whole(WORKSPACE, execution) for event in one.turn.events]
        (failed,) = (event for event in events if isinstance(event, TaskFailed) and event.error == "No")
        (paused,) = (event for event in events if isinstance(event, RetryScheduled))
        assert paused.until - failed.finished >= 60

    play("2026-11-19T12:00Z", script)
