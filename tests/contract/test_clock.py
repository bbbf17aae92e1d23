"""Clocks: the system's moves by itself, the virtual one only when told, and wakes everybody at their own moment."""

import asyncio

import pytest

from linkflow.adapters.clock import SystemClock, VirtualClock, timeless_loop
from linkflow.adapters.ids import SeededIds, SystemIds
from linkflow.ports import Clock, Ids

DAY = 86_400.0


@pytest.fixture(params=["system", "virtual"])
def any_clock(request: pytest.FixtureRequest) -> Clock:
    return SystemClock() if request.param == "system" else VirtualClock()


async def test_time_is_in_seconds_since_1970_and_does_not_run_backwards(any_clock: Clock) -> None:
    before = any_clock.now()
    await any_clock.sleep(0)
    assert 1_700_000_000 < before <= any_clock.now() < 5_000_000_000


@pytest.mark.parametrize("seconds", [0, -1])
async def test_sleeping_for_no_time_returns_without_anybody_moving_the_clock(any_clock: Clock, seconds: float) -> None:
    await any_clock.sleep(seconds)


async def test_virtual_time_stands_still_until_it_is_moved(clock: VirtualClock) -> None:
    start = clock.now()
    await asyncio.sleep(0)
    assert clock.now() == start
    await clock.advance(90)
    assert clock.now() == start + 90
    await clock.advance_to(start)
    assert clock.now() == start + 90


async def test_sleepers_wake_in_the_order_of_their_moments_each_at_its_own(clock: VirtualClock) -> None:
    start, woken = clock.now(), []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.now() - start))

    sleepers = [asyncio.create_task(sleeper(name, s)) for name, s in [("c", 30), ("a", 10), ("b", 10), ("d", 31)]]
    await clock.advance(30)
    assert woken == [("a", 10), ("b", 10), ("c", 30)]
    await clock.advance(1)
    await asyncio.gather(*sleepers)


async def test_who_falls_asleep_again_on_the_way_is_woken_again_on_the_way(clock: VirtualClock) -> None:
    start, ticks = clock.now(), []

    async def ticker() -> None:
        while True:
            await clock.sleep(10)
            ticks.append(clock.now() - start)

    task = asyncio.create_task(ticker())
    await clock.advance(35)
    assert ticks == [10, 20, 30]
    task.cancel()


async def test_a_cancelled_sleeper_is_forgotten(clock: VirtualClock) -> None:
    task = asyncio.create_task(clock.sleep(10))
    await asyncio.sleep(0)
    assert clock.next_moment() == clock.now() + 10
    task.cancel()
    await asyncio.wait([task])
    assert clock.next_moment() is None
    assert not clock.wake_next()


def test_in_a_timeless_loop_days_of_waiting_pass_at_once_and_in_order() -> None:
    clock, log = VirtualClock(0), list[tuple[str, float]]()

    async def worker(name: str, seconds: float, times: int) -> None:
        for _ in range(times):
            await clock.sleep(seconds)
            for _ in range(100):
                await asyncio.sleep(0)
            log.append((name, clock.now()))

    async def everybody() -> None:
        await asyncio.gather(worker("daily", DAY, 2), worker("half-daily", DAY / 2, 3))

    loop = timeless_loop(clock)
    loop.run_until_complete(everybody())
    loop.close()
    assert log == [
        ("half-daily", DAY / 2),
        ("daily", DAY),
        ("half-daily", DAY),
        ("half-daily", 1.5 * DAY),
        ("daily", 2 * DAY),
    ]


@pytest.mark.parametrize("make", [SystemIds, lambda clock: SeededIds(1, clock)], ids=["system", "seeded"])
async def test_ids_are_distinct_prefixed_and_sort_by_the_moment_they_were_made(
    make: type[SystemIds], clock: VirtualClock
) -> None:
    ids: Ids = make(clock)
    first = {ids.new("ex") for _ in range(100)}
    await clock.advance(1)
    second = {ids.new("ex") for _ in range(100)}
    assert len(first | second) == 200
    assert max(first) < min(second)
    assert all(name.startswith("ex_") and len(name) == 29 for name in first)
    assert len({ids.secret() for _ in range(100)}) == 100
    assert len(ids.secret()) == 43


def test_the_same_seed_and_clock_give_the_same_names() -> None:
    def names(seed: int) -> list[str]:
        ids = SeededIds(seed, VirtualClock())
        return [ids.new("ex"), ids.secret(), ids.new("ex")]

    assert names(7) == names(7)
    assert names(7) != names(8)
