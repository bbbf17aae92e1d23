"""Visits that end in order are no task's fault, however often; a process that dies is."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import ClassVar

import msgspec
import pytest

from functions.history.service import Driver
from linkflow.adapters.clock import VirtualClock
from linkflow.adapters.through import Through
from linkflow.engine.engine import Engine, Limits
from linkflow.engine.programs import Programs
from linkflow.engine.start import Start, start
from linkflow.errors import Throttled
from linkflow.execution.advance import PATIENCE
from linkflow.messages import LANE, TASKS, Wake
from linkflow.nodes.base import BaseNode, TaskContext, TaskNode, TaskResult
from linkflow.nodes.catalog import NODES
from linkflow.ports import Condition, Item, Message, Page, Range, Send
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import in_memory
from linkflow.stores.books import Books
from tests.services.drawn import drawn
from tests.unit.graphs import graph, node

WS = "ws"


class Job(TaskNode):
    """Never ends, if it `hangs`."""

    type: ClassVar[str] = "job"

    hangs: bool = False

    async def run(self, context: TaskContext) -> TaskResult:  # noqa: ARG002 (it needs nothing of the world)
        if self.hangs:
            await asyncio.Event().wait()
        return TaskResult("done")


KINDS: dict[str, type[BaseNode]] = {**NODES, "job": Job}


@dataclass(slots=True)
class Busy(Through):
    """A table that refuses outcomes so many times."""

    refuses: int

    async def put(self, item: Item, when: Condition = None, sends: Sequence[Send] = ()) -> Item | None:
        if b"TaskSucceeded" in item.body and self.refuses:
            self.refuses -= 1
            raise Throttled("The table")
        return await self.table.put(item, when, sends)


class Silent(Busy):
    """One that never answers."""

    async def query(self, what: Range) -> Page:
        await asyncio.Event().wait()
        return await super().query(what)


class Unsent(Busy):
    """One whose process dies between its first turn and what that sends."""

    async def put(self, item: Item, when: Condition = None, sends: Sequence[Send] = ()) -> Item | None:
        if b"TaskScheduled" not in item.body:
            return await super().put(item, when, sends)
        await super().put(item, when)
        raise Throttled("The queue")


class Late(Busy):
    """One that shows nothing to who looks for the first time."""

    async def query(self, what: Range) -> Page:
        self.refuses -= 1
        return Page(()) if self.refuses >= 0 else await super().query(what)


@asynccontextmanager
async def started(*, hangs: bool, refuses: int = 0) -> AsyncIterator[tuple[Engine, str]]:
    world = in_memory(Settings(), VirtualClock())
    books = Books(Busy(world.table, refuses), world.blobs)
    engine = replace(world.engine, nodes=KINDS, programs=Programs(world.engine.workflows, KINDS), books=books)
    definition = graph([node("start", "manual"), node("job", "job", {"hangs": hangs})], "start -> job")
    workflow = await drawn(engine, definition, WS)
    yield engine, await start(engine, Start(workflow, None, node="start"))
    await world.close()


async def lane(engine: Engine) -> tuple[Message, Wake]:
    (message,) = await engine.queue.receive(LANE.name)
    return message, msgspec.json.decode(message.body, type=Wake)


async def blamed(engine: Engine, execution: str) -> int:
    """How often the book says that a visit died."""
    turns = await engine.books.whole(WS, execution)
    return sum(type(event).__name__ == "VisitResumed" for one in turns for event in one.turn.events)


async def test_a_store_that_does_not_answer_is_no_fault_of_what_ran() -> None:
    async with started(hangs=False, refuses=PATIENCE + 2) as (engine, execution):
        driver, (message, told) = Driver(engine), await lane(engine)
        for receives in range(1, PATIENCE + 3):
            with pytest.raises(Throttled):
                await driver.drive(replace(message, receives=receives), told)
        await driver.drive(replace(message, receives=PATIENCE + 3), told)
        book = await engine.books.load(WS, execution)
        assert book is not None
        assert (book.state.status, await blamed(engine, execution)) == ("succeeded", 0)


async def test_a_host_that_is_asked_to_stop_hands_over_what_it_drives() -> None:
    async with started(hangs=True) as (engine, execution):
        for _ in range(PATIENCE + 1):
            message, told = await lane(engine)
            driving = asyncio.ensure_future(Driver(engine).drive(message, told))
            for _ in range(50):
                await asyncio.sleep(0)
            driving.cancel()
            await driving
            await engine.queue.delete([message])
        _, told = await lane(engine)
        assert told == Wake(WS, execution, handed_over=True, opens=True)
        assert await blamed(engine, execution) == 0


async def test_who_is_asked_to_stop_before_an_opening_is_there_hands_over_the_waiting_for_it() -> None:
    async with started(hangs=False) as (engine, execution):
        message, told = await lane(engine)
        slow = replace(engine, books=Books(Silent(engine.table, 0), engine.books.blobs))
        driving = asyncio.ensure_future(Driver(slow).drive(message, told))
        await asyncio.sleep(0)
        driving.cancel()
        await driving
        await engine.queue.delete([message])
        _, told = await lane(engine)
        assert told == Wake(WS, execution, handed_over=True, opens=True)


async def test_a_process_that_dies_is_counted_against_what_ran() -> None:
    async with started(hangs=True) as (engine, execution):
        message, told = await lane(engine)
        for receives in range(2, PATIENCE + 2):
            dying = asyncio.ensure_future(Driver(engine).drive(replace(message, receives=receives), told))
            for _ in range(50):
                await asyncio.sleep(0)
            dying.cancel()
            await dying
        book = await engine.books.load(WS, execution)
        assert book is not None
        assert book.state.failure is not None
        assert (book.state.failure.error, await blamed(engine, execution)) == ("LinkFlow.Interrupted", PATIENCE)


async def test_a_message_that_comes_again_does_so_too_for_who_has_to_wait_for_the_opening() -> None:
    """It looked again as if it came for the first time, took the task for sent, and nobody ever sent it."""
    async with started(hangs=False) as (engine, _):
        message, told = await lane(engine)
        table, blobs, bounded = engine.table, engine.books.blobs, replace(engine, limits=Limits(visit=1.0))
        with pytest.raises(Throttled):
            await Driver(replace(bounded, books=Books(Unsent(table, 0), blobs))).drive(message, told)
        late = Driver(replace(bounded, books=Books(Late(table, 1), blobs)))
        driving = asyncio.ensure_future(late.drive(replace(message, receives=2), told))
        assert isinstance(engine.clock, VirtualClock)
        while not driving.done():
            await engine.clock.advance(0.1)
        assert len(await engine.queue.receive(TASKS.name)) == 1
