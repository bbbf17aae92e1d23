"""The table port on one SQLite table. Conditions are part of the statement that writes, so a put is one statement.
(None of them is `RETURNING` anything: that takes twice as long again as the write.)"""

import json
from collections.abc import Sequence
from functools import cache

from linkflow.adapters.sqlite import facets
from linkflow.adapters.sqlite.queue import SqliteQueue
from linkflow.adapters.sqlite.store import Row, Store
from linkflow.errors import ConditionFailed
from linkflow.ports import Absent, Condition, Delete, Index, Item, Key, Page, Put, Range, Send, Unchanged, Write

_COLUMNS = "pk, sk, version, expires_at, listing_pk, listing_sk, due_pk, due_sk, body, payload"
_INSERT = f"INSERT INTO item ({_COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (pk, sk) "  # noqa: S608 (constants)
_SET = (
    "SET version = ?3, expires_at = ?4, listing_pk = ?5, listing_sk = ?6, due_pk = ?7, due_sk = ?8, "
    "body = ?9, payload = ?10"
)
_PUT_IF_ABSENT = _INSERT + "DO NOTHING"
_PUT = _INSERT + "DO UPDATE " + _SET
_PUT_IF_UNCHANGED = f"UPDATE item {_SET} WHERE pk = ?1 AND sk = ?2 AND version = ?11"
_GET = f"SELECT {_COLUMNS} FROM item WHERE pk = ? AND sk = ?"  # noqa: S608 (constants)
_DELETE = "DELETE FROM item WHERE pk = ? AND sk = ?"
_DELETE_IF_UNCHANGED = "DELETE FROM item WHERE pk = ? AND sk = ? AND version = ?"
_VERSION = "SELECT version FROM item WHERE pk = ? AND sk = ?"
_SWEEP = "DELETE FROM item WHERE id IN (SELECT id FROM item WHERE expires_at <= ? LIMIT ?)"
_SWEPT_AT_ONCE = 500


class SqliteTable:
    """`put` with `sends` writes and sends in one atom, for `queue` lives in the same file."""

    def __init__(self, store: Store, queue: SqliteQueue) -> None:
        self._store = store
        self._queue = queue

    async def get(self, key: Key) -> Item | None:
        rows = self._store.read(_GET, (key.pk, key.sk))
        return _item(rows[0]) if rows else None

    async def put(self, item: Item, when: Condition = None, sends: Sequence[Send] = ()) -> Item | None:
        if sends:
            self._queue.check(sends)
        return await self._store.write(self._put, item, when, sends)

    async def query(self, what: Range) -> Page:
        """Pages are cut by `limit` alone."""
        parameters: list[object] = [what.pk, what.first, what.last]
        if what.after is not None:
            parameters += [what.after] if what.index is None else json.loads(what.after)
        statement = _select(what.index, reverse=what.reverse, continued=what.after is not None)
        rows = self._store.read(statement, (*parameters, what.limit + 1))
        items = [_item(row) for row in rows[: what.limit]]
        return Page(items, _cursor(items[-1], what.index) if len(rows) > what.limit else None)

    async def delete(self, key: Key, when: Condition = None) -> None:
        await self._store.write(self._delete, key, when)

    async def transact(self, writes: Sequence[Write]) -> None:
        await self._store.write(self._transact, writes)

    async def sweep(self, now: float) -> int:
        """Remove what expired by `now`, a few hundred items to a commit; how many they were."""
        swept = 0
        while batch := await self._store.write(self._sweep, now):
            swept += batch
        return swept

    def _put(self, item: Item, when: Condition, sends: Sequence[Send]) -> Item | None:
        cursor = self._store.cursor
        match when:
            case None:
                cursor.execute(_PUT, _row(item))
            case Absent():
                cursor.execute(_PUT_IF_ABSENT, _row(item))
            case Unchanged(version):
                cursor.execute(_PUT_IF_UNCHANGED, (*_row(item), version))
        if not cursor.rowcount:
            return self._winner(item.key)
        if item.facets is not None and isinstance(when, Absent):
            facets.insert(cursor, cursor.lastrowid, item.facets)
        elif item.facets is not None:
            facets.replace(cursor, item.key, item.facets)
        if sends:
            self._queue.enqueue(sends)
        return None

    def _winner(self, key: Key) -> Item:
        row = self._store.cursor.execute(_GET, (key.pk, key.sk)).fetchone()
        if row is None:
            raise ConditionFailed(f"There is no item {key.pk} {key.sk} to replace.")
        return _item(row)

    def _delete(self, key: Key, when: Condition) -> None:
        cursor = self._store.cursor
        if isinstance(when, Unchanged):
            cursor.execute(_DELETE_IF_UNCHANGED, (key.pk, key.sk, when.version))
            if not cursor.rowcount:
                raise ConditionFailed(f"The item {key.pk} {key.sk} is not of version {when.version}.")
            return
        self._check(key, when)
        cursor.execute(_DELETE, (key.pk, key.sk))

    def _transact(self, writes: Sequence[Write]) -> None:
        for write in writes:
            self._check(write.item.key if isinstance(write, Put) else write.key, write.when)
        for write in writes:
            match write:
                case Put(item):
                    self._put(item, None, ())
                case Delete(key):
                    self._store.cursor.execute(_DELETE, (key.pk, key.sk))

    def _check(self, key: Key, when: Condition) -> None:
        if when is None:
            return
        row = self._store.cursor.execute(_VERSION, (key.pk, key.sk)).fetchone()
        if row != (None if isinstance(when, Absent) else (when.version,)):
            raise ConditionFailed(f"The item {key.pk} {key.sk} is not as expected.")

    def _sweep(self, now: float) -> int:
        return self._store.cursor.execute(_SWEEP, (now, _SWEPT_AT_ONCE)).rowcount


def _row(item: Item) -> Row:
    key = item.key
    if not item.indexes:
        return (key.pk, key.sk, item.version, item.expires_at, None, None, None, None, item.body, item.payload)
    listing, due = item.indexes.get(Index.LISTING), item.indexes.get(Index.DUE)
    listed = (listing.pk, listing.sk) if listing else (None, None)
    awaited = (due.pk, due.sk) if due else (None, None)
    return (key.pk, key.sk, item.version, item.expires_at, *listed, *awaited, item.body, item.payload)


def _item(row: Row) -> Item:
    pk, sk, version, expires_at, listing_pk, listing_sk, due_pk, due_sk, body, payload = row
    indexes = {}
    if listing_pk is not None:
        indexes[Index.LISTING] = Key(listing_pk, listing_sk)
    if due_pk is not None:
        indexes[Index.DUE] = Key(due_pk, due_sk)
    return Item(Key(pk, sk), body, payload, version, indexes, expires_at)


@cache
def _select(index: Index | None, *, reverse: bool, continued: bool) -> str:
    """Many items may stand at one index key; there the item's own key decides their order."""
    prefix = f"{index.value}_" if index else ""
    columns = _COLUMNS.replace("payload", "NULL") if index else _COLUMNS
    position = [f"{prefix}sk", "pk", "sk"] if index else ["sk"]
    beyond = f"AND ({', '.join(position)}) {'<' if reverse else '>'} ({', '.join('?' * len(position))})"
    order = ", ".join(f"{column} {'DESC' if reverse else 'ASC'}" for column in position)
    return (
        f"SELECT {columns} FROM item WHERE {prefix}pk = ? AND {prefix}sk >= ? AND {prefix}sk <= ? "  # noqa: S608 (constants)
        f"{beyond if continued else ''} ORDER BY {order} LIMIT ?"
    )


def _cursor(last: Item, index: Index | None) -> str:
    if index is None:
        return last.key.sk
    return json.dumps([last.indexes[index].sk, last.key.pk, last.key.sk])
