"""Tasks that remote workers lease: one item per task, in its queue, from the offer to the outcome.

The book knows what is owed; an offer only says where to look. Its place in the queue never changes, whoever holds it:
so a queue is read in one order, and a lease is one conditional write. What is leased is also found by the moment at
which it lapses. A queue is one partition, good for some hundreds of leases a second.
"""

import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import msgspec

from linkflow.errors import ConditionFailed
from linkflow.ports import Absent, Index, Item, Key, Range, Table, Unchanged
from linkflow.stores import index_keys, keys
from linkflow.stores.records import decode, encode

_PAGE = 100


class Offer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A task that somebody may lease. `leases` counts how often it was; `until` is the moment at which the present one
    ends (0: nobody holds it), `seconds` its length, `since` when it began."""

    workspace: str
    queue: str
    execution: str
    scope: int
    task: int
    offered_at: float
    priority: int = 0
    leases: int = 0
    worker: str = ""
    since: float = 0.0
    until: float = 0.0
    seconds: float = 0.0

    @property
    def key(self) -> Key:
        return keys.offer(self.workspace, self.queue, self.priority, self.offered_at, self.execution, self.task)


@dataclass(frozen=True, slots=True)
class Standing:
    """An offer as it was read; `version` tells whether it still is so."""

    offer: Offer
    version: int


@dataclass(frozen=True, slots=True)
class Leases:
    table: Table

    async def offer(self, offer: Offer) -> None:
        """Offering again changes nothing."""
        await self.table.put(Item(offer.key, encode(offer)), Absent())

    async def get(self, key: Key) -> Standing | None:
        item = await self.table.get(key)
        return None if item is None else _standing(item)

    async def standing(self, workspace: str, queue: str) -> AsyncIterator[Standing]:
        """All offers of a queue, the most urgent first."""
        where = keys.offers(workspace, queue, _PAGE)
        while True:
            page = await self.table.query(where)
            for item in page.items:
                yield _standing(item)
            if page.cursor is None:
                return
            where = replace(where, after=page.cursor)

    async def change(self, standing: Standing, offer: Offer) -> bool:
        """Write how the offer is now. False: somebody else changed or withdrew it."""
        indexes = {}
        if offer.until:
            shard = zlib.crc32(offer.execution.encode()) % index_keys.DUE_SHARDS
            indexes[Index.DUE] = Key(
                index_keys.leases(shard), index_keys.due_at(offer.until, offer.workspace, offer.execution)
            )
        item = Item(offer.key, encode(offer), version=standing.version + 1, indexes=indexes)
        try:
            return await self.table.put(item, Unchanged(standing.version)) is None
        except ConditionFailed:
            return False

    async def withdraw(self, key: Key) -> None:
        await self.table.delete(key)

    async def lapsed(self, shard: int, now: float, limit: int) -> list[Standing]:
        """Leases that ended by `now` without an outcome."""
        where = Range(index_keys.leases(shard), last=index_keys.due_until(now), index=Index.DUE, limit=limit)
        page = await self.table.query(where)
        return [_standing(item) for item in page.items]


def _standing(item: Item) -> Standing:
    return Standing(decode(item.body, Offer), item.version)
