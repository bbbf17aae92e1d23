"""Bulk operations on executions that go on in others while the operation comes to them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import cast

import msgspec
import pytest

from linkflow.engine.engine import Call, Engine
from linkflow.engine.platform import bulk
from linkflow.engine.platform.system import SYSTEM
from linkflow.engine.signal import signal
from linkflow.engine.visit import visit
from linkflow.execution.commands import RunTask
from linkflow.execution.events import SignalReceived
from linkflow.messages import LANE
from linkflow.search import Query, Span
from linkflow.stores import index_keys
from linkflow.stores.operations import Action, Operation
from linkflow.stores.summaries import Listed, Summaries
from tests.services.stage import Stage, Working
from tests.unit.graphs import graph, node

ENDS: dict[Action, str] = {"cancel": "cancelled", "terminate": "terminated"}


class Chain:
    """An execution that goes on as another with each signal."""

    def __init__(self, stage: Stage, first: str) -> None:
        self.stage = stage
        self.links = [first]

    async def go_on(self) -> None:
        engine, last = self.stage.world.engine, self.links[-1]
        await self.stage.clock.advance(1.0)
        await signal(engine, "ws", last, SignalReceived("next", None, f"sg_{len(self.links)}", "us_1"))
        state = await self.stage.visit(last)
        assert state.status == "continued"
        assert state.successor is not None
        await self.stage.visit(state.successor)
        self.links.append(state.successor)
        await self.stage.clock.advance(1.0)

    async def statuses(self) -> list[str]:
        for message in await self.stage.world.queue.receive(LANE.name, 100):
            await visit(self.stage.world.engine, "ws", message.group or "")
        books = [await self.stage.world.engine.books.load("ws", one) for one in self.links]
        return [book.state.status for book in books if book is not None]


@dataclass(frozen=True)
class Meddling:
    """Summaries in which something happens behind a listing."""

    summaries: Summaries
    then: Callable[[], Awaitable[None]]

    def __getattr__(self, name: str) -> object:
        return getattr(self.summaries, name)

    async def search(self, query: Query, limit: int, cursor: str | None = None) -> Listed:
        found = await self.summaries.search(query, limit, cursor)
        if query.statuses == ("running",):
            await self.then()
        return found


async def chain() -> Chain:
    stage = Stage(Working())
    nodes = [
        node("start", "manual"),
        node("wait", "wait_for_signal", {"name": "next"}),
        node("again", "continue_as_new"),
    ]
    first = await stage.begin(graph(nodes, "start -> wait", "wait -> again"))
    await stage.visit(first)
    await stage.clock.advance(1.0)
    return Chain(stage, first)


def asked(stage: Stage, action: Action) -> Operation:
    now = stage.clock.now()
    query = Query(index_keys.listed_executions("ws"), ("running",), started=Span(None, now))
    return Operation("op_1", "ws", action, "us_1", now, query)


async def carried_out(engine: Engine, operation: Operation) -> tuple[str, int, int, int]:
    """Its status, and how many it did, skipped, failed at."""
    task = RunTask(0, 1, 1, "n", "linkflow:platform.bulk_batch", {"operation": msgspec.to_builtins(operation)}, "k")
    for _ in range(5):
        await bulk.batch(engine, Call(SYSTEM, "ex_any", task))
    found = await engine.operations.get("ws", operation.id)
    return found.status, found.done, found.skipped, found.failed


@pytest.mark.parametrize("action", ENDS)
async def test_a_chain_that_went_on_before_the_listing_is_ended_where_it_is(action: Action) -> None:
    met = await chain()
    operation = asked(met.stage, action)
    for _ in range(3):
        await met.go_on()
    assert await carried_out(met.stage.world.engine, operation) == ("done", 1, 0, 0)
    assert await met.statuses() == ["continued"] * 3 + [ENDS[action]]


@pytest.mark.parametrize("action", ENDS)
async def test_a_chain_that_goes_on_behind_the_listing_is_ended_once(action: Action) -> None:
    met = await chain()
    operation = asked(met.stage, action)
    engine = met.stage.world.engine
    meddled = replace(engine, summaries=cast("Summaries", Meddling(engine.summaries, met.go_on)))
    assert await carried_out(meddled, operation) == ("done", 1, 0, 0)
    assert await met.statuses() == ["continued", ENDS[action]]


async def test_what_went_on_and_was_over_before_is_not_told_of() -> None:
    met = await chain()
    await met.go_on()
    operation = asked(met.stage, "cancel")
    assert await carried_out(met.stage.world.engine, operation) == ("done", 1, 0, 0)
    assert await met.statuses() == ["continued", "cancelled"]
    later = Operation("op_2", "ws", "cancel", "us_1", met.stage.clock.now(), operation.query)
    assert await carried_out(met.stage.world.engine, later) == ("done", 0, 0, 0)
