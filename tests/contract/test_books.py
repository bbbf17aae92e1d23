"""Books across releases: what was written stays readable, and what a newer release wrote is refused."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from linkflow.adapters.clock import VirtualClock
from linkflow.errors import Broken
from linkflow.execution.events import ExecutionStarted, Names, ScopeFailed
from linkflow.ports import Item, Table
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import World, in_memory
from linkflow.stores import keys
from linkflow.stores.books import Book, Books, Turn
from linkflow.stores.records import Summary
from linkflow.stores.schemas import Schemas, Upcaster

OPENING = (
    b'{"at":1000.5,"events":[{"e":"ExecutionStarted","input":{"n":1},"names":{"execution_id":"ex_1","execution"'
    b':"ex_1","workflow_id":"wf_1","workflow":"w"},"workspace":"ws","version":1,"program":"hash","salt":"s"}]}'
)
TURN = (
    b'{"at":1001.5,"events":[{"e":"StateEntered","scope":0,"state":"graph"},{"e":"GraphStarted","scope":0,"node'
    b's":2},{"e":"ScopeOpened","parent":0,"scope":1,"key":"a"},{"e":"StateEntered","scope":1,"state":"a"},{"e":'
    b'"TaskScheduled","scope":1,"task":1,"attempt":1,"arguments":{},"deadline":1061.5}]}'
)
NEXT = (
    b'{"at":1002.0,"events":[{"e":"TaskSucceeded","scope":1,"task":1,"result":7,"started":1001.5,"finished":100'
    b'2.0},{"e":"StateExited","scope":1},{"e":"ScopeOpened","parent":0,"scope":2,"key":"b","sources":["a"]},{"e'
    b'":"StateEntered","scope":2,"state":"b"},{"e":"TaskScheduled","scope":2,"task":2,"attempt":1,"arguments":{'
    b'},"deadline":1062.0}]}'
)
SNAPSHOT = (
    b'{"workspace":"ws","names":{"execution_id":"ex_1","execution":"ex_1","workflow_id":"wf_1","workflow":"w"},'
    b'"version":1,"program":"hash","trigger":"manual","start_at":null,"input":{"n":1},"started_at":1000.5,"dead'
    b'line":null,"status":"running","closed_at":null,"output":null,"failure":null,"response":null,"cancel":null'
    b',"scopes":{"0":{"id":0,"parent":null,"key":"","machine":"","carry":{"n":1},"history":0,"phase":"composite'
    b'","next":null,"state":"graph","input":{"n":1},"entered_at":1001.5,"entered_id":2,"attempt":1,"retries":{}'
    b',"task":null,"due":null,"exit":"default","failure":null,"composite":{"type":"Nodes","width":2,"open":{"b"'
    b':2},"results":{"a":7},"exits":{"a":"default"},"fresh":[],"begun":true,"failed":null},"variables":{}},"2":'
    b'{"id":2,"parent":0,"key":"b","machine":"/graph/b","carry":7,"history":0,"phase":"task","next":null,"state'
    b'":"b","input":7,"entered_at":1002.0,"entered_id":9,"attempt":1,"retries":{},"task":{"task":2,"attempt":1,'
    b'"arguments":{},"scheduled":1002.0,"deadline":1062.0,"heartbeat":null,"beat":null,"pattern":"request","cre'
    b'dentials":null,"started":false,"submitted":false,"interruptions":0},"due":null,"exit":"default","failure"'
    b':null,"composite":null,"variables":{}}},"next_scope":3,"next_task":3,"agenda":[],"moments":[[1062.0,2]],"'
    b'histories":{"0":11},"salt":"s","parent":null,"part":null,"orphans":[]}'
)
"""As the release of 2026-11-24 wrote them, byte for byte: turns 0 to 2, and the state behind them."""


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = in_memory(Settings(), VirtualClock())
    yield world
    await world.close()


async def written(table: Table, *turns: Item) -> None:
    summary = Summary("ws", "ex_1", "wf_1", 1, 1000.5)
    await table.put(Item(keys.summary("ws", "ex_1"), msgspec.json.encode(summary), OPENING))
    for turn in turns:
        await table.put(turn)


def at_work(book: Book) -> list[tuple[str, Any, int | None]]:
    """(state, data on its way, task) of every scope."""
    scopes = book.state.scopes.values()
    return [(scope.state, scope.carry, None if scope.task is None else scope.task.task) for scope in scopes]


async def test_what_an_earlier_release_wrote_is_read_today(world: World) -> None:
    await written(world.table, Item(keys.turn("ws", "ex_1", 1), TURN))
    book = await world.engine.books.load("ws", "ex_1")
    assert book is not None
    assert (book.number, book.state.scopes[1].state, book.state.scopes[1].carry) == (1, "a", {"n": 1})
    await world.table.put(Item(keys.turn("ws", "ex_1", 2), NEXT))
    by_turns = await world.engine.books.load("ws", "ex_1")
    await world.table.put(Item(keys.turn("ws", "ex_1", 2), NEXT, SNAPSHOT))
    by_snapshot = await world.engine.books.load("ws", "ex_1")
    assert by_turns is not None
    assert by_snapshot is not None
    assert at_work(by_snapshot) == at_work(by_turns) == [("graph", {"n": 1}, None), ("b", 7, 2)]
    assert by_snapshot.state.histories == by_turns.state.histories


async def test_a_reader_of_the_next_schema_reads_turns_and_snapshots_of_this_one(world: World) -> None:
    def shouted(raw: dict[str, Any]) -> dict[str, Any]:
        """Schema 2 has texts in capitals."""
        return {
            **raw,
            "events": [{**one, "state": one["state"].upper()} if "state" in one else one for one in raw["events"]],
        }

    def louder(raw: dict[str, Any]) -> dict[str, Any]:
        return {**raw, "trigger": raw["trigger"].upper()}

    await written(world.table, Item(keys.turn("ws", "ex_1", 1), TURN))
    books = Books(world.table, world.blobs, Schemas(2, {1: Upcaster(shouted, louder)}))
    book = await books.load("ws", "ex_1")
    assert book is not None
    assert book.state.scopes[1].state == "A"
    await world.table.put(Item(keys.turn("ws", "ex_1", 2), NEXT, SNAPSHOT))
    book = await books.load("ws", "ex_1")
    assert book is not None
    assert book.state.trigger == "MANUAL"
    assert await books.append(book, [ScopeFailed(0, "E", None)], 1003.0)
    (newest,) = await books.turns("ws", "ex_1", 2)
    assert newest.turn.schema == 2


async def test_two_upcasters_work_one_after_the_other(world: World) -> None:
    seen: list[int] = []

    def noting(step: int) -> Upcaster:
        def turn(raw: dict[str, Any]) -> dict[str, Any]:
            seen.append(step)
            return raw

        return Upcaster(turn)

    await written(world.table)
    assert await Books(world.table, world.blobs, Schemas(3, {1: noting(1), 2: noting(2)})).load("ws", "ex_1")
    assert seen == [1, 2]


async def test_what_a_newer_release_wrote_is_refused_and_the_log_says_what_to_do(world: World) -> None:
    newer = Books(world.table, world.blobs, Schemas(2, {1: Upcaster()}))
    started = ExecutionStarted(1, Names("ex_2", "ex_2", "wf_1", "w"), "ws", 1, "hash")
    summary = Summary("ws", "ex_2", "wf_1", 1, 1000.5)
    await world.engine.summaries.open(summary, await newer.opening("ws", "ex_2", Turn(1000.5, (started,))))
    with pytest.raises(Broken, match=r"newer release \(schema 2; this one knows up to 1\): start the newer"):
        await world.engine.books.load("ws", "ex_2")
    await written(world.table, Item(keys.turn("ws", "ex_1", 1), b'{"at":1.0,"events":[]}', SNAPSHOT, version=2))
    with pytest.raises(Broken, match="start the newer release"):
        await world.engine.books.load("ws", "ex_1")


async def test_an_event_that_this_release_does_not_know_is_told_of_clearly(world: World) -> None:
    await written(world.table, Item(keys.turn("ws", "ex_1", 1), b'{"at":1.0,"events":[{"e":"FutureHappened"}]}'))
    with pytest.raises(Broken, match=r"Turn 1 of the book EXEC#ws#ex_1 holds what this release does not know"):
        await world.engine.books.load("ws", "ex_1")
