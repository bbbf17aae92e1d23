"""Callbacks: addresses that are told of executions, and the log of what they were told.

Whether a workspace has any is asked at every start and end of an execution, so a process remembers the answer for
`KNOWN_FOR` seconds; whoever changes callbacks here forgets it at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace as altered
from typing import Literal

import msgspec
from msgspec.structs import replace

from linkflow.errors import ConditionFailed, NotFound
from linkflow.ports import Absent, Clock, Item, Key, Put, Table, Unchanged
from linkflow.stores import keys
from linkflow.stores.records import AnyRecord, decode, encode

KNOWN_FOR = 10.0
LOGGED_FOR = 30 * 86_400.0
"""Seconds that a delivery stays in the log after it was last touched."""
ATTEMPTS_KEPT = 20

Standing = Literal["pending", "delivered", "dead"]


class Callback(msgspec.Struct, frozen=True, omit_defaults=True):
    """`on` are the events it is told of, `workflow` the one workflow it is about (empty: all of the workspace).
    `secret` is its own, sealed; without it the installation's signs. `drawn`: it stands in the workflow's definition
    and changes with that alone."""

    id: str
    workspace: str
    url: str
    on: tuple[str, ...]
    created_at: float
    updated_at: float
    workflow: str = ""
    name: str = ""
    secret: bytes | None = None
    drawn: bool = False


class Attempt(msgspec.Struct, frozen=True, omit_defaults=True):
    """`answer` is the beginning of what the other side said; `error` says why there was no answer."""

    at: float
    latency: float
    status: int | None = None
    answer: str = ""
    error: str = ""


class Delivery(msgspec.Struct, frozen=True, omit_defaults=True):
    """One telling. `round` counts how often somebody asked for it, `tries` all attempts; `attempts` are the last."""

    id: str
    callback: str
    workspace: str
    execution: str
    event: str
    created_at: float
    status: Standing = "pending"
    round: int = 1
    tries: int = 0
    attempts: tuple[Attempt, ...] = ()
    closed_at: float | None = None
    reason: str = ""


class Callbacks:
    __slots__ = ("_clock", "_known", "_table")

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self._known: dict[str, tuple[float, Sequence[Callback]]] = {}

    async def wanted(self, workspace: str, workflow: str, event: str) -> bool:
        """Whether anybody is told of this, as far as this process knows."""
        now = self._clock.now()
        until, known = self._known.get(workspace, (0.0, ()))
        if until <= now:
            known = await self.listed(workspace)
            self._known[workspace] = (now + KNOWN_FOR, known)
        return any(wants(one, workflow, event) for one in known)

    def forget(self, workspace: str) -> None:
        """Ask the store when it matters next."""
        self._known.pop(workspace, None)

    async def listed(self, workspace: str) -> Sequence[Callback]:
        """All of a workspace, as they are now."""
        found: list[Callback] = []
        where = keys.beside(keys.callback(workspace, ""), 1_000)
        while True:
            page = await self._table.query(where)
            found += [decode(item.body, Callback) for item in page.items]
            if page.cursor is None:
                return found
            where = altered(where, after=page.cursor)

    async def get(self, workspace: str, identifier: str) -> Callback:
        """Raises `NotFound`."""
        item = await self._table.get(keys.callback(workspace, identifier))
        if item is None:
            raise NotFound("callback", identifier)
        return decode(item.body, Callback)

    def creation(self, callback: Callback) -> Put:
        """The write that makes it, for a transaction."""
        self.forget(callback.workspace)
        return Put(Item(keys.callback(callback.workspace, callback.id), encode(callback)), Absent())

    async def create(self, callback: Callback) -> None:
        await self._table.transact([self.creation(callback)])

    async def change(self, workspace: str, identifier: str, change: Callable[[Callback], Callback]) -> Callback:
        """Raises `NotFound`, and what `change` raises."""
        changed = await _changed(self._table, keys.callback(workspace, identifier), Callback, change)
        self.forget(workspace)
        if changed is None:
            raise NotFound("callback", identifier)
        return changed

    async def delete(self, workspace: str, identifier: str) -> None:
        await self._table.delete(keys.callback(workspace, identifier))
        self.forget(workspace)


def wants(callback: Callback, workflow: str, event: str) -> bool:
    return event in callback.on and callback.workflow in ("", workflow)


class Deliveries:
    __slots__ = ("_table",)

    def __init__(self, table: Table) -> None:
        self._table = table

    async def open(self, delivery: Delivery) -> None:
        """Put it into the log, if it is not there."""
        await self._table.put(_logged(delivery, delivery.created_at), Absent())

    async def get(self, workspace: str, callback: str, identifier: str) -> Delivery | None:
        item = await self._table.get(keys.delivery(workspace, callback, identifier))
        return decode(item.body, Delivery) if item else None

    async def listed(
        self, workspace: str, callback: str, limit: int, cursor: str | None
    ) -> tuple[Sequence[Delivery], str | None]:
        page = await self._table.query(keys.newest_first(keys.delivery(workspace, callback, ""), limit, cursor))
        return [decode(item.body, Delivery) for item in page.items], page.cursor

    async def delete(self, delivery: Delivery) -> None:
        await self._table.delete(keys.delivery(delivery.workspace, delivery.callback, delivery.id))

    async def attempted(self, delivery: Delivery, attempt: Attempt, status: Standing, reason: str = "") -> None:
        """Write an attempt into the log, unless that has forgotten the delivery. One that failed, and is heard of late,
        undoes nothing."""

        def written(found: Delivery) -> Delivery:
            attempts = (*found.attempts, attempt)[-ATTEMPTS_KEPT:]
            told = replace(found, attempts=attempts, tries=found.tries + 1)
            if status == "pending" and found.status != "pending":
                return told
            return _standing(told, status, attempt.at + attempt.latency, reason)

        await self._change(delivery, written, attempt.at)

    async def close(self, delivery: Delivery, status: Standing, now: float, reason: str) -> None:
        """Say how it ended, unless it is known already."""

        def written(found: Delivery) -> Delivery:
            return found if found.status != "pending" else _standing(found, status, now, reason)

        await self._change(delivery, written, now)

    async def again(self, delivery: Delivery, round_: int, now: float) -> Delivery:
        """It is being told once more, in this round; of a round that is known already nothing changes."""

        def written(found: Delivery) -> Delivery:
            if found.round >= round_:
                return found
            return replace(found, round=round_, status="pending", closed_at=None, reason="")

        return await self._change(delivery, written, now)

    async def _change(self, delivery: Delivery, change: Callable[[Delivery], Delivery], now: float) -> Delivery:
        key = keys.delivery(delivery.workspace, delivery.callback, delivery.id)
        return await _changed(self._table, key, Delivery, change, now + LOGGED_FOR) or delivery


def _standing(delivery: Delivery, status: Standing, at: float, reason: str) -> Delivery:
    return replace(delivery, status=status, closed_at=None if status == "pending" else at, reason=reason)


def _logged(delivery: Delivery, now: float) -> Item:
    key = keys.delivery(delivery.workspace, delivery.callback, delivery.id)
    return Item(key, encode(delivery), expires_at=now + LOGGED_FOR)


async def _changed(
    table: Table,
    key: Key,
    kind: type[AnyRecord],
    change: Callable[[AnyRecord], AnyRecord],
    expires_at: float | None = None,
) -> AnyRecord | None:
    """The record, changed over whatever others made of it meanwhile. None: there is none."""
    item = await table.get(key)
    while item is not None:
        record = change(decode(item.body, kind))
        fresh = replace(item, body=encode(record), version=item.version + 1, expires_at=expires_at)
        try:
            item = await table.put(fresh, Unchanged(item.version))
        except ConditionFailed:  # it was removed just now
            return None
        if item is None:
            return record
    return None
