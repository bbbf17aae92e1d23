"""Schedules fire: each due moment once, whoever looks, whatever dies, however long nobody looked."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest

from linkflow.engine.schedules import fire, sweep
from linkflow.execution.state import State
from linkflow.execution.surroundings import moment_text
from linkflow.language.recurrence.recurrence import due_between, fires_at
from linkflow.runtime.wiring import World
from tests.services.dying import Died, dying
from tests.services.ticking import WORKSPACE, Host, due_of, found, log, moment, play, schedule, started, workflow

HOUR = 3_600.0
DAY = 86_400.0


async def dues(world: World) -> list[str]:
    """The due moments of all executions, in the order in which they began: `05T09:00`."""
    return [(await due_of(world, one.execution))[8:16] for one in await started(world)]


def test_a_schedule_fires_to_the_second_and_its_execution_knows_why() -> None:
    async def script(world: World) -> None:
        made = await schedule(world, await workflow(world), cron="0 9 * * *", timezone="Europe/Berlin")
        await Host(world).run(2 * DAY)
        executions = await started(world)
        assert [moment_text(one.started_at) for one in executions] == [
            "2026-11-20T08:00:00.000Z",
            "2026-11-21T08:00:00.000Z",
        ]
        assert {one.trigger for one in executions} == {"schedule"}
        assert {one.status for one in executions} == {"succeeded"}
        book = await world.engine.books.load(WORKSPACE, executions[0].execution)
        assert book is not None
        assert book.state.input == {
            "schedule": made.id,
            "name": "nightly",
            "due_at": "2026-11-20T08:00:00.000Z",
            "due_at_local": "2026-11-20T09:00:00+01:00",
            "fired_at": "2026-11-20T08:00:00.000Z",
            "input": {"n": 1},
        }

    play("2026-11-19T12:00Z", script)


@pytest.mark.parametrize(
    ("expression", "zone", "begin"),
    [
        ("*/20 1-3 * * *", "Europe/Berlin", "2026-10-24T20:00Z"),
        ("30 0-3 * * *", "Europe/Berlin", "2026-03-28T20:00Z"),
        ("*/10 1,2 * * *", "America/New_York", "2026-11-01T02:00Z"),
        ("15,45 1-3 * * *", "Australia/Lord_Howe", "2026-10-03T12:00Z"),
        ("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00Z"),
        ("5 */2 * * *", "Asia/Kathmandu", "2026-11-03T12:00Z"),
    ],
)
def test_what_is_previewed_is_what_fires(expression: str, zone: str, begin: str) -> None:
    """Over a night in which the clock is changed, with two hosts."""

    async def script(world: World) -> None:
        made = await schedule(world, await workflow(world), cron=expression, timezone=zone)
        end = world.clock.now() + 18 * HOUR
        expected = [moment_text(due)[8:16] for due in due_between(made.recurrence, world.clock.now(), end)]
        await asyncio.gather(Host(world).run(18 * HOUR + 1), Host(world).run(18 * HOUR + 1))
        assert expected
        assert await dues(world) == expected

    play(begin, script)


def test_intervals_of_seconds_fire_each_on_time() -> None:
    async def script(world: World) -> None:
        await schedule(world, await workflow(world), every=7)
        begun = world.clock.now()
        await Host(world).run(10 * 60)
        executions = await started(world)
        assert [int(one.started_at) // 7 for one in executions] == list(
            range(int(begun) // 7 + 1, int(begun + 600) // 7 + 1)
        )
        assert all(one.started_at % 7 < 1 for one in executions)

    play("2026-11-19T12:00Z", script)


def test_jitter_moves_the_firing_and_not_the_due_moment() -> None:
    async def script(world: World) -> None:
        made = await schedule(world, await workflow(world), cron="0 * * * *", jitter=600)
        await Host(world).run(DAY)
        executions = await started(world)
        assert len(executions) == 24
        late = []
        for one in executions:
            due = int(moment(await due_of(world, one.execution)))
            assert due % HOUR == 0
            assert 0 <= one.started_at - fires_at(made.recurrence, made.id, due) < 1
            late.append(one.started_at - due)
        assert max(late) - min(late) > 60
        assert max(late) <= 601

    play("2026-11-19T11:59Z", script)


def test_nothing_is_due_outside_its_window_or_while_it_is_paused() -> None:
    async def script(world: World) -> None:
        target = await workflow(world)
        window = ("2026-11-19T14:00Z", "2026-11-19T16:00Z")
        made = await schedule(world, target, every=3_600, starts_at=window[0], ends_at=window[1])
        await schedule(world, target, every=3_600, paused=True)
        await Host(world).run(DAY)
        assert await dues(world) == ["19T14:00", "19T15:00", "19T16:00"]
        assert (await found(world, made)).standing.due is None
        assert await sweep(world.engine, world.clock.now() + 365 * DAY) == 0

    play("2026-11-19T12:00Z", script)


def test_dates_come_at_what_the_zones_clock_shows() -> None:
    async def script(world: World) -> None:
        dates = ["2026-11-20T09:00:00", "2026-11-20T09:00:00+00:00", "2026-11-01T00:00:00"]
        await schedule(world, await workflow(world), dates=dates, timezone="Asia/Kathmandu")
        await Host(world).run(2 * DAY)
        assert await dues(world) == ["20T03:15", "20T09:00"]

    play("2026-11-19T12:00Z", script)


# ---------------------------------------------------------------- exactly once


def test_two_tickers_fire_each_moment_once() -> None:
    async def script(world: World) -> None:
        made = await schedule(world, await workflow(world), cron="*/5 * * * *", overlap="skip")
        await asyncio.gather(Host(world).run(3 * HOUR), Host(world).run(3 * HOUR))
        assert len(await dues(world)) == len(set(await dues(world))) == 36
        assert not any(firing.skipped for firing in await log(world, made))

    play("2026-11-19T12:00:30Z", script)


@pytest.mark.parametrize("overlap", ["allow", "skip", "queue", "cancel_previous"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_any_call_loses_and_doubles_nothing(overlap: str, after: bool) -> None:
    async def script(world: World) -> None:
        target = await workflow(world)
        died = 0
        for calls in range(40):
            made = await schedule(world, target, every=3_600, overlap=overlap)
            due = (await found(world, made)).standing.due
            assert due is not None
            await world.clock.sleep(due - world.clock.now())
            try:
                await fire(dying(world, calls, after=after), WORKSPACE, made.id)
            except Died:
                died += 1
            if await sweep(world.engine, world.clock.now() + 10):
                await fire(world.engine, WORKSPACE, made.id)
            standing = (await found(world, made)).standing
            assert [firing.due for firing in standing.log] == [due]
            assert standing.owed == ()
            assert standing.due == due + 3_600
            assert standing.log[0].execution is not None
            assert await world.engine.summaries.get(WORKSPACE, standing.log[0].execution) is not None
            await world.engine.schedules.delete(WORKSPACE, made.id)
        assert 5 <= died < 40
        assert len(await started(world)) == 40

    play("2026-11-19T12:00:30Z", script)


def test_a_ticker_that_comes_late_overwrites_nothing() -> None:
    """Both read the schedule; the first one fires, the second one finds that it has changed."""

    async def script(world: World) -> None:
        made = await schedule(world, await workflow(world), every=60)
        await world.clock.sleep(60)
        read = await found(world, made)
        await fire(world.engine, WORKSPACE, made.id)
        assert not await world.engine.schedules.advance(read, read.standing)
        assert len(await log(world, made)) == 1
        assert (await found(world, made)).version == read.version + 2

    play("2026-11-19T12:00:30Z", script)


# ---------------------------------------------------------------- nobody looked


MISSED = {
    "skip": (["22T13:00"], [("missed", "19T13:00", "22T12:00")]),
    "one": (["22T12:00", "22T13:00"], [("missed", "19T13:00", "22T11:00")]),
}


@pytest.mark.parametrize("misfire", ["skip", "one", "all"])
def test_three_days_without_a_process_end_as_the_policy_says(misfire: str) -> None:
    async def script(world: World) -> None:
        made = await schedule(world, await workflow(world), every=3_600, misfire=misfire)
        await world.clock.sleep(3 * DAY)
        await Host(world).run(HOUR)
        told = [
            (firing.skipped, moment_text(firing.due)[8:16], moment_text(firing.until or firing.due)[8:16])
            for firing in await log(world, made)
            if firing.skipped
        ]
        if misfire == "all":
            assert len(await dues(world)) == 25  # (the 24 of the window, and the one on time)
            assert (await dues(world))[0] == "21T13:00"
        else:
            assert (await dues(world), told) == MISSED[misfire]
        assert len(await dues(world)) == len(set(await dues(world)))

    play("2026-11-19T12:30Z", script)


def test_a_late_second_is_no_misfire() -> None:
    async def script(world: World) -> None:
        await schedule(world, await workflow(world), every=3_600, misfire="skip")
        await world.clock.sleep(30 * 60 + 80)
        await Host(world).run(60)
        assert await dues(world) == ["19T13:00"]

    play("2026-11-19T12:30Z", script)


def test_thousands_of_missed_moments_are_made_up_for_in_pieces() -> None:
    async def script(world: World) -> None:
        made = await schedule(world, await workflow(world), every=60, misfire="all", misfire_window=7_200)
        await world.clock.sleep(30 * DAY)
        await fire(world.engine, WORKSPACE, made.id)
        assert len(await dues(world)) == 120
        await fire(world.engine, WORKSPACE, made.id)
        assert len(await dues(world)) == 120

    play("2026-11-19T12:30:10Z", script)


# ---------------------------------------------------------------- the one before is still running


async def overlapping(world: World, overlap: str, seconds: float) -> tuple[list[str], Sequence[str]]:
    made = await schedule(world, await workflow(world, seconds), every=600, overlap=overlap)
    await Host(world).run(HOUR)
    return await dues(world), [firing.skipped for firing in await log(world, made)]


@pytest.mark.parametrize(
    ("overlap", "expected", "skipped"),
    [
        ("allow", ["19T12:10", "19T12:20", "19T12:30", "19T12:40", "19T12:50", "19T13:00"], [""] * 6),
        ("skip", ["19T12:10", "19T12:30", "19T12:50"], ["", "overlap", "", "overlap", "", "overlap"]),
        ("queue", ["19T12:10", "19T12:20", "19T12:30", "19T12:40"], [""] * 4),
    ],
)
def test_overlap_is_dealt_with_as_the_policy_says(overlap: str, expected: list[str], skipped: list[str]) -> None:
    async def script(world: World) -> None:
        assert await overlapping(world, overlap, 900) == (expected, skipped)
        begun = [one.started_at for one in await started(world)]
        if overlap == "queue":
            assert [round(second - first) for first, second in pairwise(begun)] == [900] * 3

    play("2026-11-19T12:00:10Z", script)


def test_the_one_before_is_cancelled_where_that_is_wanted() -> None:
    async def script(world: World) -> None:
        dues_, _ = await overlapping(world, "cancel_previous", 900)
        assert len(dues_) == 6
        assert [one.status for one in await started(world)] == ["cancelled"] * 5 + ["running"]

    play("2026-11-19T12:00:10Z", script)


def test_the_next_in_line_begins_although_its_message_was_lost() -> None:
    async def script(world: World) -> None:
        made = await schedule(world, await workflow(world, 900), every=600, overlap="queue")
        await Host(world).run(1_300)
        assert len((await found(world, made)).standing.waiting) == 1
        await Host(world, without=["timer_watch", "timer_alarms"]).run(1)
        first = (await started(world))[0]
        await world.engine.summaries.close(WORKSPACE, first.execution, await _over(world, first.execution))
        await Host(world).run(120)
        assert len(await dues(world)) == 2

    play("2026-11-19T12:00:10Z", script)


async def _over(world: World, execution: str) -> State:
    book = await world.engine.books.load(WORKSPACE, execution)
    assert book is not None
    book.state.status, book.state.closed_at = "succeeded", world.clock.now()
    return book.state


def test_a_workflow_that_is_gone_is_told_in_the_log() -> None:
    async def script(world: World) -> None:
        made = await schedule(world, "wf_gone", every=600)
        await Host(world).run(700)
        assert [firing.skipped for firing in await log(world, made)] == ["not_found"]

    play("2026-11-19T12:00:10Z", script)


def test_a_lost_announcement_delays_a_firing_by_a_sweep_at_most() -> None:
    async def script(world: World) -> None:
        made = await schedule(world, await workflow(world), every=30)
        read = await found(world, made)
        assert read.standing.announced is not None
        for message in await world.queue.receive("timers"):
            await world.queue.delete([message])
        await world.clock.sleep(20)
        for message in await world.queue.receive("timers"):
            await world.queue.delete([message])
        await world.clock.sleep(20)
        assert await sweep(world.engine, world.clock.now()) == 1

    play("2026-11-19T12:00:10Z", script)


def test_a_schedule_that_was_deleted_fires_no_more() -> None:
    async def script(world: World) -> None:
        made = await schedule(world, await workflow(world), every=60)
        read = await found(world, made)
        await world.engine.schedules.delete(WORKSPACE, made.id)
        assert not await world.engine.schedules.advance(read, read.standing)
        await Host(world).run(600)
        assert await dues(world) == []

    play("2026-11-19T12:00:10Z", script)
