"""Calls to a host under any interleaving of several processes: never more than allowed, and every one in the end."""

import asyncio
from itertools import pairwise
from random import Random

import pytest

from linkflow.adapters.clock import VirtualClock, timeless_loop
from linkflow.engine.engine import Call, Engine
from linkflow.engine.gates import Postponed, passage
from linkflow.execution.commands import RunTask
from linkflow.stores.rules import Rule
from tests.services.several import processes

HOST = "host:api.example.com"
URL = "https://api.example.com/orders?page=1"


def call(number: int, paid: str = "") -> Call:
    return Call(
        "ws", f"ex_{number}", RunTask(1, number, 1, "call", "linkflow:http_request", {}, f"k{number}", paid=paid)
    )


async def _until_let_through(engine: Engine, number: int) -> list[float]:
    """Comes again as often as it is postponed; when it was."""
    postponed: list[float] = []
    paid = ""
    while True:
        try:
            async with passage(engine, call(number, paid), URL):
                return postponed
        except Postponed as told:
            postponed.append(told.until)
            paid = told.paid
            await engine.clock.sleep(told.until - engine.clock.now())


@pytest.mark.parametrize("seed", range(15))
def test_never_more_calls_at_once_than_allowed_and_all_are_made(seed: int) -> None:
    clock, random, inside, most, made = VirtualClock(), Random(seed), 0, 0, 0
    allowed = random.randint(1, 3)

    async def story() -> None:
        async with processes(seed, 3, clock) as engines:
            await engines[0].rule_items.put("ws", Rule(HOST, at_once=allowed))

            async def one(number: int, engine: Engine) -> None:
                nonlocal inside, most, made
                while True:
                    try:
                        async with passage(engine, call(number), URL):
                            inside += 1
                            most = max(most, inside)
                            await engine.clock.sleep(random.choice([0.0, 0.1, 3.0]))
                            inside -= 1
                            made += 1
                            return
                    except Postponed as told:
                        await engine.clock.sleep(told.until - engine.clock.now())

            await asyncio.gather(*(one(number, random.choice(engines)) for number in range(15)))
            await clock.sleep(5)
            assert all(not share.held for engine in engines for share in engine.shares.values())

    with asyncio.Runner(loop_factory=lambda: timeless_loop(clock)) as runner:
        runner.run(story())
    assert (made, most) == (15, allowed)


@pytest.mark.parametrize("seed", range(5))
def test_a_rate_lets_each_through_at_its_own_moment_and_postpones_it_once(seed: int) -> None:
    clock, moments = VirtualClock(), []

    async def story() -> None:
        async with processes(seed, 2, clock) as engines:
            await engines[0].rule_items.put("ws", Rule(HOST, limit=2, per_seconds=10.0))

            async def one(number: int) -> None:
                postponed = await _until_let_through(engines[number % 2], number)
                assert len(postponed) <= 1
                moments.append(clock.now())

            await asyncio.gather(*(one(number) for number in range(12)))

    with asyncio.Runner(loop_factory=lambda: timeless_loop(clock)) as runner:
        runner.run(story())
    moments.sort()
    assert moments[-1] - moments[0] == pytest.approx(50.0)
    assert all(later - earlier == pytest.approx(5.0) for earlier, later in pairwise(moments[1:]))


def test_a_process_that_died_loses_its_share_after_a_minute() -> None:
    clock = VirtualClock()

    async def story() -> None:
        async with processes(0, 2, clock) as (dying, living):
            await living.rule_items.put("ws", Rule(HOST, at_once=1))
            gone = passage(dying, call(1), URL)
            await gone.__aenter__()
            for share in dying.shares.values():
                assert share.tending is not None
                share.tending.cancel()
            with pytest.raises(Postponed):
                async with passage(living, call(2), URL):
                    raise AssertionError("one too many")
            await clock.sleep(61)
            async with passage(living, call(2), URL):
                pass

    with asyncio.Runner(loop_factory=lambda: timeless_loop(clock)) as runner:
        runner.run(story())


def test_what_no_limit_concerns_costs_nothing() -> None:
    clock = VirtualClock()

    async def story() -> None:
        async with processes(0, 1, clock) as (engine,):
            await engine.rule_items.put("ws", Rule("host:other.example.com", at_once=1))
            async with passage(engine, call(1), URL):
                assert engine.shares == {}

    with asyncio.Runner(loop_factory=lambda: timeless_loop(clock)) as runner:
        runner.run(story())
