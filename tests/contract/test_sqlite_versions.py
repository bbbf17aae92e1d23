"""Files of earlier releases become files of this one, with all that was in them."""

import sqlite3
from contextlib import closing
from pathlib import Path

from linkflow.adapters.clock import VirtualClock
from linkflow.adapters.sqlite import schema
from linkflow.adapters.sqlite.catalogue import SqliteCatalogue
from linkflow.adapters.sqlite.queue import SqliteQueue
from linkflow.adapters.sqlite.store import FILE, Store
from linkflow.adapters.sqlite.table import SqliteTable
from linkflow.execution.state import State
from linkflow.ports import Item
from linkflow.search import Query
from linkflow.stores import index_keys, keys
from linkflow.stores.records import Summary, encode
from linkflow.stores.summaries import Summaries
from tests.contract.family import FAIR, FAIR_LINE, QUEUES

OPEN = Summary("ws", "ex_1", "wf", 1, 1_000.0, tags=("gold",), check_at=2_000.0)
CLOSED = Summary("ws", "ex_2", "wf", 1, 1_001.0, status="failed", closed_at=1_004.0, error="Shop.Down")


def of_version_1(path: Path, *summaries: Summary) -> None:
    """A file as the first release left it, with executions and something else in it."""
    with closing(schema.connect(str(path / FILE), busy_milliseconds=0)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        schema._first(connection)
        rows = [(keys.summary(one.workspace, one.execution), encode(one)) for one in summaries]
        rows.append((keys.workflow("ws", "wf"), b"{}"))
        for key, body in rows:
            connection.execute("INSERT INTO item (pk, sk, version, body) VALUES (?, ?, 1, ?)", (key.pk, key.sk, body))
        connection.execute("PRAGMA user_version = 1")


async def test_executions_of_version_1_are_found_closed_and_deleted_like_all_others(
    tmp_path: Path, clock: VirtualClock
) -> None:
    of_version_1(tmp_path, OPEN, CLOSED)
    store = Store.open(tmp_path)
    table = SqliteTable(store, SqliteQueue(store, clock, QUEUES))
    summaries = Summaries(table, SqliteCatalogue(store))
    shelf = index_keys.listed_executions("ws")
    assert (await summaries.search(Query(shelf), 10)).summaries == [CLOSED, OPEN]
    assert (await summaries.search(Query(shelf, tags=("gold",)), 10)).summaries == [OPEN]
    assert (await summaries.search(Query(shelf, words=("shop",)), 10)).summaries == [CLOSED]
    await summaries.close("ws", "ex_1", State(status="succeeded", closed_at=1_010.0))
    (slowest, _) = (await summaries.search(Query(shelf, sort="duration"), 10)).summaries
    assert slowest.execution == "ex_1"
    await table.delete(keys.summary("ws", "ex_1"))
    assert (await summaries.search(Query(shelf), 10)).summaries == [CLOSED]
    assert await table.get(keys.workflow("ws", "wf")) == Item(keys.workflow("ws", "wf"), b"{}")
    await store.close()


async def test_messages_that_an_earlier_release_left_or_still_sends_are_delivered(
    tmp_path: Path, clock: VirtualClock
) -> None:
    """Also those of a process of that release which goes on while the new one already runs."""
    of_version_1(tmp_path)
    sent = "INSERT INTO message (queue, line, visible_at, front, body) VALUES (?, ?, 0, 1, ?)"
    with closing(schema.connect(str(tmp_path / FILE), busy_milliseconds=0)) as old:
        old.execute(sent, (FAIR.name, None, b"left"))
        old.execute(sent, (FAIR_LINE.name, "g", b"left"))
    store = Store.open(tmp_path)
    queue = SqliteQueue(store, clock, QUEUES)
    with closing(schema.connect(str(tmp_path / FILE), busy_milliseconds=5_000)) as old:
        old.execute(sent, (FAIR.name, None, b"late"))
    assert {one.body for one in await queue.receive(FAIR.name)} == {b"left", b"late"}
    assert [one.body for one in await queue.receive(FAIR_LINE.name)] == [b"left"]
    await queue.close()
    await store.close()


def test_a_file_that_is_made_and_one_that_was_brought_here_are_the_same(tmp_path: Path) -> None:
    made, brought = tmp_path / "made", tmp_path / "brought"
    made.mkdir()
    brought.mkdir()
    of_version_1(brought)
    for directory in (made, brought):
        schema.create(directory / FILE)
        with closing(schema.connect(str(directory / FILE), busy_milliseconds=0)) as connection:
            schema.prepare(connection)
    assert _shape(made) == _shape(brought)


def _shape(directory: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(directory / FILE)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)
        return connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
