"""The timer's minute: what the watchdog repairs, and what is tidied away."""

import asyncio
import zlib
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from functions.services import declare
from linkflow import ids
from linkflow.adapters.clock import VirtualClock
from linkflow.adapters.through import Through
from linkflow.engine.wakes import LOOK_AGAIN, SOON
from linkflow.errors import Throttled
from linkflow.execution.events import ExecutionStarted, Names, PauseRequested, ResumeRequested
from linkflow.messages import LANE
from linkflow.ports import Item, Key, Page, Range
from linkflow.runtime.functions import Schedule
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import World, connect, in_memory
from linkflow.stores import index_keys, keys
from linkflow.stores.books import Turn
from linkflow.stores.records import Summary, WorkflowVersion, encode
from tests.services.other_ports import over
from tests.unit.graphs import graph, node


async def minute(world: World) -> None:
    (watch,) = [one for one in declare(world) if one.name == "timer_watch"]
    assert isinstance(watch.trigger, Schedule)
    await watch.trigger.tick(world.clock.now())


def shard_of(execution: str) -> int:
    return zlib.crc32(execution.encode()) % index_keys.DUE_SHARDS


async def opened(world: World, check_at: float, deadline: float | None = None) -> str:
    """An execution that was written down, but whose first message was never sent."""
    execution, now = world.ids.new(ids.EXECUTION), world.clock.now()
    definition = msgspec.Raw(msgspec.json.encode(graph([node("start", "manual"), node("a")], "start -> a")))
    version = WorkflowVersion(1, "hash", "graph", definition, now)
    await world.table.put(Item(keys.version("ws", "wf", 1), b"", encode(version)))
    started = ExecutionStarted(None, Names(execution, execution, "wf", "test"), "ws", 1, "hash", deadline=deadline)
    opening = await world.engine.books.opening("ws", execution, Turn(now, (started,)))
    await world.engine.summaries.open(Summary("ws", execution, "wf", 1, now, check_at=check_at), opening)
    return execution


async def test_an_execution_whose_message_was_lost_is_woken_when_its_time_has_come_and_not_before(
    tmp_path: Path,
) -> None:
    clock = VirtualClock()
    world = await connect(Settings(data=tmp_path), clock)
    execution = await opened(world, check_at=clock.now() + 90)
    await minute(world)
    assert await world.queue.receive(LANE.name) == ()
    await clock.advance(91)
    await minute(world)
    (message,) = await world.queue.receive(LANE.name)
    assert message.group == execution
    await minute(world)
    assert await world.queue.receive(LANE.name) == ()
    await world.close()


async def test_one_that_has_never_begun_does_not_wait_for_its_deadline(tmp_path: Path) -> None:
    clock = VirtualClock()
    world = await connect(Settings(data=tmp_path), clock)
    execution = await opened(world, clock.now() + 90, deadline=clock.now() + 86_400)
    for _ in range(2):
        await clock.advance(LOOK_AGAIN + 1)
        await minute(world)
        (message,) = await world.queue.receive(LANE.name)
        assert message.group == execution
        await world.queue.delete([message])
    await world.close()


async def test_what_the_watchdog_saw_before_others_wrote_moves_no_look(tmp_path: Path) -> None:
    clock = VirtualClock()
    world = await connect(Settings(data=tmp_path), clock)
    summaries, now = world.engine.summaries, clock.now()
    execution = await opened(world, check_at=now - 1)
    known = await summaries.item("ws", execution)
    assert known is not None
    await summaries.check_by("ws", execution, now + 900, now, known)
    await summaries.check_again(known, now + 86_400)
    assert await summaries.due(shard_of(execution), now + 901, 1) == [("ws", execution)]
    await world.close()


async def test_what_a_long_visit_knew_of_the_next_look_may_be_over(tmp_path: Path) -> None:
    clock = VirtualClock()
    world = await connect(Settings(data=tmp_path), clock)
    summaries, began = world.engine.summaries, clock.now()
    execution = await opened(world, check_at=began + 90)
    known = await summaries.item("ws", execution)
    assert known is not None
    await clock.advance(100)
    await summaries.check_again(known, began + 86_400)
    await summaries.check_by("ws", execution, began + 900, clock.now(), known)
    assert await summaries.due(shard_of(execution), began + 901, 1) == [("ws", execution)]
    await world.close()


async def test_one_that_cannot_be_looked_after_keeps_no_other_from_it(tmp_path: Path) -> None:
    clock = VirtualClock()
    world = await connect(Settings(data=tmp_path), clock)
    many = [await opened(world, check_at=clock.now() + 90) for _ in range(12)]
    for execution in many[::2]:
        damaged = Item(keys.turn("ws", execution, 1), b'{"at":1.0,"events":[{"e":"Unheard"}]}')
        await world.table.put(damaged)
    await clock.advance(91)
    await minute(world)
    woken = {message.group for message in await world.queue.receive(LANE.name, 100)}
    assert woken == set(many[1::2])
    await world.close()


async def test_what_has_expired_is_tidied_away_and_the_rest_is_kept(tmp_path: Path) -> None:
    clock = VirtualClock()
    world = await connect(Settings(data=tmp_path), clock)
    await world.table.put(Item(Key("a", "old"), b"", expires_at=clock.now() + 10))
    await world.table.put(Item(Key("a", "kept"), b""))
    await clock.advance(11)
    await minute(world)
    assert await world.table.get(Key("a", "old")) is None
    assert await world.table.get(Key("a", "kept")) is not None
    await world.close()


async def test_a_paused_execution_is_looked_at_once_a_day_and_what_a_lost_resume_left_is_found_soon(
    tmp_path: Path,
) -> None:
    clock = VirtualClock()
    world = await connect(Settings(data=tmp_path), clock)
    execution = await opened(world, check_at=clock.now() + 90)
    book = await world.engine.books.load("ws", execution)
    assert book is not None
    await world.engine.books.append(book, [PauseRequested("us_1")], clock.now())
    await clock.advance(91)
    await minute(world)
    for _ in range(20):
        await clock.advance(3_600)
        await minute(world)
    assert await world.queue.receive(LANE.name) == ()
    book = await world.engine.books.load("ws", execution)
    assert book is not None
    await world.engine.summaries.check_by("ws", execution, clock.now() + SOON, clock.now())
    await world.engine.books.append(book, [ResumeRequested("us_1")], clock.now())
    await clock.advance(SOON + 1)
    await minute(world)
    assert len(await world.queue.receive(LANE.name)) == 1
    await world.close()


@dataclass(slots=True)
class Stuck(Through):
    """A table that hangs at the first question, and is too busy for all others."""

    asked: asyncio.Event

    async def query(self, what: Range) -> Page:  # noqa: ARG002 (whatever it is)
        if self.asked.is_set():
            raise Throttled("The table")
        self.asked.set()
        return await asyncio.Future[Page]()


async def test_a_stop_ends_a_minutes_work_also_where_a_store_is_busy() -> None:
    """What came behind it failed, and the stop was forgotten: the process never ended."""
    world, asked = in_memory(Settings(), VirtualClock()), asyncio.Event()
    working = asyncio.ensure_future(minute(over(world, Stuck(world.table, asked), world.queue)))
    await asked.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    await world.close()
