"""Slots under any interleaving: never more are held than there are, nobody is forgotten, dead holders are found."""

import asyncio
from random import Random

import msgspec
import pytest

from linkflow import ids
from linkflow.adapters.clock import VirtualClock
from linkflow.adapters.ids import SeededIds
from linkflow.engine.engine import Engine
from linkflow.engine.slots import give_back, look_after, stand_in_line, take
from linkflow.engine.start import Start, begin, start
from linkflow.engine.visit import visit
from linkflow.engine.watch import watch
from linkflow.execution.events import ExecutionStarted, Names
from linkflow.messages import LANE, TIMERS, Wake
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import in_memory
from linkflow.stores import keys
from linkflow.stores.books import Turn
from linkflow.stores.limits import Line, Rate
from linkflow.stores.records import Summary
from tests.services.dying import Died, dying
from tests.services.several import processes
from tests.services.stage import Stage, Working
from tests.unit.graphs import graph, node


@pytest.mark.parametrize("seed", range(40))
async def test_never_more_than_the_limit_and_everybody_has_a_turn(seed: int) -> None:
    random = Random(seed)
    line, held, served = Line("ws", "limit", random.randint(1, 3)), set(), []
    async with processes(seed, 3) as engines:

        async def execution(who: str, engine: Engine) -> None:
            for _ in range(random.randrange(6)):
                await asyncio.sleep(0)
            priority = random.randrange(2)
            has = await take(engine, line, who) or await stand_in_line(engine, line, priority, 1.0, who)
            for _ in range(20_000):
                if has:
                    break
                await asyncio.sleep(0)
                has = who in (await engine.limit_items.slots(line)).slots.holders
            assert has, f"{who} was forgotten in line"
            held.add(who)
            assert len(held) <= line.limit
            for _ in range(random.randrange(6)):
                await asyncio.sleep(0)
            held.discard(who)
            served.append(who)
            place = keys.waiter("ws", "limit", priority, 1.0, who)
            await give_back(engine, line, who, place)

        await asyncio.gather(*(execution(f"ex_{n}", random.choice(engines)) for n in range(12)))
        read = await engines[0].limit_items.slots(line)
        assert (len(served), read.slots.holders, read.slots.crowded) == (12, {}, False)


async def test_the_first_in_line_is_of_the_highest_priority_and_then_the_oldest() -> None:
    line, order = Line("ws", "limit", 1), []
    async with processes(0, 1) as (engine,):
        assert await take(engine, line, "ex_0")
        for who, priority, since in (("ex_1", 0, 2.0), ("ex_2", 0, 1.0), ("ex_3", 5, 9.0)):
            assert not await stand_in_line(engine, line, priority, since, who)
        holder = "ex_0"
        for _ in range(3):
            await give_back(engine, line, holder)
            (holder,) = (await engine.limit_items.slots(line)).slots.holders
            order.append(holder)
        woken = [msgspec.json.decode(one.body, type=Wake).execution for one in await engine.queue.receive(LANE.name)]
        assert order == ["ex_3", "ex_2", "ex_1"]
        assert woken == order


@pytest.mark.parametrize("after", [False, True])
async def test_whoever_is_handed_a_slot_hears_of_it_although_the_visit_that_hands_it_on_dies(after: bool) -> None:
    """The slot had been handed on, the message that said so was never sent, and who came again took it for done."""
    deaths = 0
    for calls in range(12):
        stage = Stage(Working(), Settings(resident=False, visit_seconds=60))
        nodes = [node("start", "manual"), node("pause", "delay", {"seconds": 30})]
        limited = graph(nodes, "start -> pause", concurrency={"limit": 1})
        workflow = await stage.workflow(limited)
        first, second = [(await begin(stage.world.engine, Start(workflow, {}, node="start"))).execution for _ in "12"]
        for execution in (first, second):
            await stage.visit(execution)
        await stage.clock.advance(31)
        await stage.world.queue.delete(await stage.world.queue.receive(LANE.name, 100))
        try:
            await visit(dying(stage.world, calls, after=after), "ws", first)
        except Died:
            deaths += 1
        await stage.visit(first, resumed=True)
        woken = [message.group for message in await stage.world.queue.receive(LANE.name, 100)]
        assert second in woken
    assert deaths > 5


async def test_one_that_waits_for_its_moment_under_a_rate_is_woken_although_its_alarm_is_lost() -> None:
    """The watchdog took it for one in line, whose turn others would see to."""
    stage = Stage(Working())
    workflow = await stage.workflow(graph([node("start", "manual")], rate={"limit": 1, "per_seconds": 100}))
    for expected in ("succeeded", "running"):
        waits = await start(stage.world.engine, Start(workflow, {}, node="start"))
        assert (await stage.visit(waits)).status == expected
    now = stage.clock.now()
    await stage.world.engine.summaries.check_by("ws", waits, now + 1, now)
    for seconds in (2, 100):
        await stage.clock.advance(seconds)
        for spec in (LANE, TIMERS):
            await stage.world.queue.delete(await stage.world.queue.receive(spec.name, 100))
        await watch(stage.world.engine, stage.clock.now())
    assert [message.group for message in await stage.world.queue.receive(LANE.name, 100)] == [waits]
    assert (await stage.visit(waits)).status == "succeeded"


async def test_a_slot_whose_holder_is_gone_is_found_within_a_minute() -> None:
    world = in_memory(Settings(), clock := VirtualClock())
    engine, line = world.engine, Line("ws", "limit", 2)
    alive = await opened(engine, SeededIds(1, clock).new(ids.EXECUTION))
    assert await take(engine, line, "ex_dead")
    assert await take(engine, line, alive)
    assert not await stand_in_line(engine, line, 0, 1.0, "ex_next")
    assert await look_after(engine, clock.now()) == 0
    await clock.advance(61)
    assert await look_after(engine, clock.now()) == 1
    assert set((await engine.limit_items.slots(line)).slots.holders) == {alive, "ex_next"}
    await world.close()


async def opened(engine: Engine, execution: str) -> str:
    started = ExecutionStarted(None, Names(execution, execution, "wf", "test"), "ws", 1, "hash")
    opening = await engine.books.opening("ws", execution, Turn(0.0, (started,)))
    await engine.summaries.open(Summary("ws", execution, "wf", 1, 0.0), opening)
    return execution


@pytest.mark.parametrize("seed", range(20))
async def test_a_rate_is_never_exceeded_and_places_are_given_in_order(seed: int) -> None:
    random, rate, moments = Random(seed), Rate(3, 6.0), []
    async with processes(seed, 2) as engines:
        now = 1_000.0
        for _ in range(30):
            now += random.choice([0.0, 0.5, 3.0])
            batch = [
                random.choice(engines).limit_items.reserve("ws", "r", rate, now, 1e9)
                for _ in range(random.randrange(4))
            ]
            moments += await asyncio.gather(*batch)
    moments.sort()
    for first in range(len(moments) - 3):
        in_window = [moment for moment in moments if moments[first] <= moment < moments[first] + 6.0]
        assert len(in_window) <= 2 * rate.limit - 1, "a bucket holds as much as it lets through in one period"
    spread = moments[-1] - moments[0]
    assert len(moments) <= rate.limit + spread / 2.0 + 1
