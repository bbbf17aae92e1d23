"""The queue port in the same file as the table, with the promises of SQS.

A plain message may be delivered from `visible_at` on, in a fair queue in the order of ranks (`schema.py`). In a FIFO
queue only the first message of a group (`front`) is looked for; it is delivered, with followers of its group up to the
batch's limit, unless one of the group is in flight. Those in flight are always among the first ten of their group,
since a batch begins at the front and takes at most ten.

A receive looks with a read first, so that an idle queue is never written to.
"""

import sqlite3
import sys
from collections.abc import Sequence

from linkflow.adapters.sqlite.store import Row, Store
from linkflow.adapters.sqlite.waiting import LOOK_EVERY, WaitingRoom
from linkflow.errors import Broken
from linkflow.ports import Clock, Message, QueueSpec, Send

DEDUPLICATION = 300.0
"""Seconds during which a deduplication id counts as a repetition."""
_GROUP_BATCH = 10

_REMEMBER = """INSERT INTO deduplication (queue, id, until) VALUES (?1, ?2, ?3)
  ON CONFLICT (queue, id) DO UPDATE SET until = ?3 WHERE until <= ?4"""
_SEND = """INSERT INTO message (queue, visible_at, front, body, share, rank) VALUES (?, ?, 1, ?, ?, ?)"""
_SEND_IN_LINE = """INSERT INTO message (queue, line, visible_at, body, share, rank, front)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, NOT EXISTS (SELECT 1 FROM message WHERE queue = ?1 AND line = ?2))"""
_RANK = """SELECT 1 + max(
  coalesce((SELECT min(rank) FROM message WHERE queue = ?1 AND front = 1) - 1, 0),
  coalesce((SELECT max(rank) FROM message WHERE queue = ?1 AND share = ?2), 0))"""
_NEXT = "SELECT min(visible_at) FROM message WHERE queue = ? AND front = 1"
_READY = """SELECT number, body, receives FROM message WHERE queue = ? AND front = 1 AND visible_at <= ?
  ORDER BY visible_at, number LIMIT ?"""
_READY_FAIRLY = """SELECT number, body, receives FROM message INDEXED BY message_fair
  WHERE queue = ? AND front = 1 AND visible_at <= ? ORDER BY rank, number LIMIT ?"""
_READY_LINES_FAIRLY = """SELECT line FROM message INDEXED BY message_fair
  WHERE queue = ? AND front = 1 AND visible_at <= ? ORDER BY rank, number"""
_READY_LINES = """SELECT line FROM message WHERE queue = ? AND front = 1 AND visible_at <= ?
  ORDER BY visible_at, number"""
_LINE = """SELECT number, body, receives, visible_at FROM message WHERE queue = ? AND line = ?
  ORDER BY number LIMIT ?"""
_CLAIM = "UPDATE message SET receives = receives + 1, visible_at = ? WHERE number = ?"
_REMOVE = "DELETE FROM message WHERE number = ?"
_DELETE = "DELETE FROM message WHERE number = ? AND receives = ?"
_POSTPONE = "UPDATE message SET visible_at = ? WHERE number = ? AND receives = ?"
_PROMOTE = """UPDATE message SET front = 1 WHERE front = 0 AND number =
  (SELECT min(number) FROM message WHERE queue = ? AND line = ?)"""
_DEPTH = "SELECT count(*) FROM message WHERE queue = ? AND front = 1"
_DEPTH_IN_LINES = "SELECT count(*) FROM message WHERE queue = ? AND line IS NOT NULL"
_FORGET = "DELETE FROM deduplication WHERE until <= ?"

_Found = tuple[str | None, list[Row]]


class SqliteQueue:
    """Every queue of `specs` and its dead letters, which keep order and visibility of theirs and lose nothing."""

    def __init__(self, store: Store, clock: Clock, specs: Sequence[QueueSpec]) -> None:
        self._store = store
        self._clock = clock
        self._specs = {spec.name: spec for spec in specs}
        for spec in specs:
            dead = QueueSpec(spec.dead_letters, spec.fifo, spec.visibility, sys.maxsize)
            self._specs.setdefault(dead.name, dead)
        self._data_version = 0
        self._room = WaitingRoom(clock, None if store.in_memory else self._written)
        store.on_sent = self._room.call

    async def send(self, messages: Sequence[Send]) -> None:
        self.check(messages)
        await self._store.write(self.enqueue, messages)

    async def receive(self, queue: str, limit: int = 10, wait: float = 0.0) -> Sequence[Message]:
        spec = self._spec(queue)
        deadline = self._clock.now() + wait
        while True:
            calls = self._room.calls(queue)
            due: float | None = self._store.read(_NEXT, (queue,))[0][0]
            if due is not None and due <= self._clock.now():
                if claimed := await self._store.write(self._claim, spec, limit):
                    return claimed
                due = self._clock.now() + LOOK_EVERY
            now = self._clock.now()
            if now >= deadline:
                return ()
            await self._room.wait(queue, calls, min(deadline, due or deadline) - now)

    async def delete(self, messages: Sequence[Message]) -> None:
        await self._store.write(self._delete, messages)

    async def postpone(self, message: Message, seconds: float) -> None:
        await self._store.write(self._postpone, message, seconds)

    async def depth(self, queue: str) -> int:
        count: int = self._store.read(_DEPTH_IN_LINES if self._spec(queue).fifo else _DEPTH, (queue,))[0][0]
        return count

    async def sweep(self, now: float) -> int:
        """Forget deduplication ids that have run out by `now`; how many they were."""
        return await self._store.write(self._forget, now)

    async def close(self) -> None:
        await self._room.close()

    def check(self, messages: Sequence[Send]) -> None:
        """Raises `Broken` for what SQS would refuse, before anything is written."""
        for message in messages:
            fifo = self._spec(message.queue).fifo
            if fifo != (message.group is not None) or (fifo and message.delay) or not 0 <= message.delay <= 900:
                raise Broken(f"A message for '{message.queue}' lacks its group, or has one or a delay it cannot have.")

    def enqueue(self, messages: Sequence[Send]) -> None:
        """The verb behind `send`, for those who send within a larger write. `messages` have passed `check`."""
        now = self._clock.now()
        cursor = self._store.cursor
        for message in messages:
            queue = message.queue
            if message.deduplication is not None and self._specs[queue].fifo:
                cursor.execute(_REMEMBER, (queue, message.deduplication, now + DEDUPLICATION, now))
                if not cursor.rowcount:
                    continue
            self._stand(queue, message.group, now + message.delay, message.body, message.share)

    def _stand(self, queue: str, group: str | None, visible_at: float, body: bytes, share: str | None) -> None:
        whose, rank = (share or "", self._rank(queue, share or "")) if self._specs[queue].fair else (None, 1)
        if group is None:
            self._store.cursor.execute(_SEND, (queue, visible_at, body, whose, rank))
        else:
            self._store.cursor.execute(_SEND_IN_LINE, (queue, group, visible_at, body, whose, rank))
        self._store.sent.add(queue)

    def _rank(self, queue: str, share: str) -> int:
        rank: int = self._store.cursor.execute(_RANK, (queue, share)).fetchone()[0]
        return rank

    def _claim(self, spec: QueueSpec, limit: int) -> Sequence[Message]:
        now = self._clock.now()
        claimed: list[Message] = []
        while not claimed and (found := self._find(spec, limit, now)):
            for group, rows in found:
                for number, body, receives, *_ in rows:
                    if receives >= spec.max_receives:
                        self._bury(spec, group, number, body, now)
                        continue
                    self._store.cursor.execute(_CLAIM, (now + spec.visibility, number))
                    receipt = f"{number}-{receives + 1}"
                    claimed.append(Message(str(number), spec.name, body, receives + 1, receipt, group))
        return claimed

    def _find(self, spec: QueueSpec, limit: int, now: float) -> list[_Found]:
        execute = self._store.cursor.execute
        if not spec.fifo:
            rows = execute(_READY_FAIRLY if spec.fair else _READY, (spec.name, now, limit)).fetchall()
            return [(None, rows)] if rows else []
        found: list[_Found] = []
        for (group,) in self._ready_lines(spec, now):
            rows = execute(_LINE, (spec.name, group, _GROUP_BATCH)).fetchall()
            if all(row[3] <= now for row in rows):
                found.append((group, rows[:limit]))
                limit -= len(rows)
            if limit <= 0:
                break
        return found

    def _ready_lines(self, spec: QueueSpec, now: float) -> sqlite3.Cursor:
        """Read row by row, since any number of them may be held up by a message in flight."""
        statement = _READY_LINES_FAIRLY if spec.fair else _READY_LINES
        return self._store.cursor.connection.execute(statement, (spec.name, now))

    def _bury(self, spec: QueueSpec, group: str | None, number: int, body: bytes, now: float) -> None:
        self._store.cursor.execute(_REMOVE, (number,))
        self._stand(spec.dead_letters, group, now, body, None)
        self._promote(spec.name, group)

    def _promote(self, queue: str, group: str | None) -> None:
        if group is not None:
            self._store.cursor.execute(_PROMOTE, (queue, group))

    def _delete(self, messages: Sequence[Message]) -> None:
        for message in messages:
            if self._store.cursor.execute(_DELETE, _delivery(message)).rowcount and message.group is not None:
                self._promote(message.queue, message.group)
                self._store.sent.add(message.queue)

    def _postpone(self, message: Message, seconds: float) -> None:
        self._store.cursor.execute(_POSTPONE, (self._clock.now() + seconds, *_delivery(message)))
        self._store.sent.add(message.queue)

    def _forget(self, now: float) -> int:
        return self._store.cursor.execute(_FORGET, (now,)).rowcount

    def _spec(self, queue: str) -> QueueSpec:
        spec = self._specs.get(queue)
        if spec is None:
            raise Broken(f"There is no queue '{queue}'.")
        return spec

    def _written(self) -> bool:
        before = self._data_version
        self._data_version = self._store.read("PRAGMA data_version")[0][0]
        return self._data_version != before


def _delivery(message: Message) -> tuple[int, int]:
    number, _, receives = message.receipt.partition("-")
    return int(number), int(receives)
