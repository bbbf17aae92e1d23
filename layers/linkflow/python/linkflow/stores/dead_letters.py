"""Messages that were given up, with the reason: one item each, named by its queue and content, so that a message that
is buried twice lies in one grave. They are kept for `KEPT`, newest first."""

from dataclasses import dataclass
from hashlib import sha256

import msgspec

from linkflow.errors import ConditionFailed
from linkflow.ports import Absent, Index, Item, Key, Range, Table, Unchanged
from linkflow.stores import index_keys, keys
from linkflow.stores.records import decode, encode

KEPT = 14 * 86_400.0
"""Seconds; as long as SQS keeps a message at most."""


class DeadLetter(msgspec.Struct, frozen=True, omit_defaults=True):
    """`about` says what it was, without what users put in; `body` is the message, for the redrive alone."""

    queue: str
    reason: str
    died_at: float
    receives: int
    body: bytes
    workspace: str = ""
    execution: str = ""
    about: str = ""
    group: str | None = None

    @property
    def id(self) -> str:
        return f"{self.queue}.{sha256(self.body).hexdigest()[:32]}"


@dataclass(frozen=True, slots=True)
class Lying:
    """A dead letter as it was read."""

    letter: DeadLetter
    version: int


@dataclass(frozen=True, slots=True)
class DeadLetters:
    table: Table

    async def bury(self, letter: DeadLetter) -> None:
        """One that died before lies there with its newest reason."""
        key = keys.dead_letter(letter.id)
        there = await self.table.get(key)
        await self.table.put(_item(letter, 1 if there is None else there.version + 1))

    async def bury_unexplained(self, letter: DeadLetter) -> None:
        """Of which nobody said why: what is known of it already stays."""
        await self.table.put(_item(letter, 1), Absent())

    async def get(self, identifier: str) -> Lying | None:
        item = await self.table.get(keys.dead_letter(identifier))
        return None if item is None else Lying(_letter(item), item.version)

    async def listed(self, limit: int, before: str | None) -> tuple[list[tuple[str, str]], str | None]:
        """(id, place in the list) of those that died last; `before` goes on behind a place."""
        last = {} if before is None else {"last": before}
        where = Range(index_keys.dead_letters(), **last, index=Index.LISTING, reverse=True, limit=limit + 1)
        items = (await self.table.query(where)).items
        found = [(keys.dead_letter_id(item.key), item.indexes[Index.LISTING].sk) for item in items]
        found = [one for one in found if one[1] != before][:limit]
        return found, found[-1][1] if len(found) == limit else None

    async def exhume(self, lying: Lying) -> None:
        """It is gone, unless it died again meanwhile."""
        try:
            await self.table.delete(keys.dead_letter(lying.letter.id), Unchanged(lying.version))
        except ConditionFailed:
            return


def _item(letter: DeadLetter, version: int) -> Item:
    listing = Key(index_keys.dead_letters(), index_keys.died(letter.died_at, letter.id))
    expires = letter.died_at + KEPT
    return Item(keys.dead_letter(letter.id), b"", encode(letter), version, {Index.LISTING: listing}, expires)


def _letter(item: Item) -> DeadLetter:
    return decode(item.payload or b"", DeadLetter)
