"""The archive: books of closed executions, many to a blob, and what remembers where they are.

A blob holds one compressed piece per execution, one after the other; unpacked, a piece is JSON lines: the summary, then
the turns. Its name is that of its content, so that writing it twice is writing it once. A batch is the record of what
goes into one blob: whoever finds one that is not done goes on with it. The summary of an archived execution stays in
the table, without its opening, and says where the piece is.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

import msgspec

from linkflow.errors import Broken
from linkflow.ports import Absent, Blobs, Index, Item, Table
from linkflow.stores import index_keys, keys
from linkflow.stores.records import Archived, Summary, decode, encode
from linkflow.stores.schemas import SCHEMA, Schemas
from linkflow.stores.turns import Numbered, Turn


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """An execution of a batch: the version its summary had, where its piece is, how many turns it has, and the blob of
    its opening, if that was large."""

    execution: str
    version: int
    start: int = 0
    size: int = 0
    turns: int = 0
    opening: str = ""


class Batch(msgspec.Struct, frozen=True, omit_defaults=True):
    """Executions that leave the table together. Without a `blob` they are not kept. `done`: their books are gone."""

    id: str
    at: float
    entries: tuple[Entry, ...]
    blob: str = ""
    done: bool = False


class Retention(msgspec.Struct, frozen=True, omit_defaults=True):
    """After how many days a closed execution leaves the table, by workflow where that differs; 0: never. `archive`:
    whether its book is kept in the archive, for `archive_days` (0: for ever)."""

    days: int = 30
    archive: bool = True
    archive_days: int = 0
    workflows: dict[str, int] = {}

    def of(self, workflow: str) -> int:
        return self.workflows.get(workflow, self.days)

    @property
    def shortest(self) -> int:
        """0 where everything is kept."""
        return min((days for days in (self.days, *self.workflows.values()) if days > 0), default=0)


class _Line(msgspec.Struct, frozen=True, array_like=True):
    """`turn` is in the form in which it was archived (`schemas.py`)."""

    number: int
    turn: msgspec.Raw


def packed(summary: Summary, turns: Sequence[Numbered]) -> bytes:
    lines = [encode(summary), *(_line(one) for one in turns)]
    return zlib.compress(b"\n".join(lines), 6)


def unpacked(piece: bytes) -> list[Numbered]:
    _, *lines = zlib.decompress(piece).split(b"\n")
    return [_numbered(_decoder.decode(one)) for one in lines]


def _line(one: Numbered) -> bytes:
    turn = msgspec.structs.replace(one.turn, schema=SCHEMA)
    return msgspec.json.encode(_Line(one.number, msgspec.Raw(msgspec.json.encode(turn))))


def _numbered(line: _Line) -> Numbered:
    where = f"Turn {line.number} of an archived book"
    return Numbered(line.number, Schemas().turn(bytes(line.turn), _turns, where), archived=True)


async def read(blobs: Blobs, where: Archived) -> list[Numbered]:
    """An archived book, whole."""
    content = await blobs.get(where.blob)
    if content is None:
        raise Broken(f"The archive {where.blob} is gone.")
    return unpacked(content[where.start : where.start + where.size])


@dataclass(frozen=True, slots=True)
class Archive:
    table: Table
    blobs: Blobs
    kept: int = field(default=10)
    """So many of the newest batches are looked at for one that is not done; more than hosts that sweep at once."""

    async def retention(self, workspace: str) -> Retention:
        item = await self.table.get(keys.retention(workspace))
        return Retention() if item is None else decode(item.body, Retention)

    async def set_retention(self, workspace: str, wanted: Retention) -> None:
        listing = {Index.LISTING: index_keys.listed_retention(workspace)}
        await self.table.put(Item(keys.retention(workspace), encode(wanted), indexes=listing))

    async def workspaces(self) -> list[str]:
        """Those that said how long they keep things."""
        where, found = index_keys.listed_retentions(), list[str]()
        while True:
            page = await self.table.query(where)
            found += [item.indexes[Index.LISTING].sk for item in page.items]
            if page.cursor is None:
                return found
            where = replace(where, after=page.cursor)

    async def put(self, workspace: str, now: float, pieces: Sequence[bytes]) -> str:
        """The blob's name. A crash behind this leaves a blob that nothing refers to."""
        content = b"".join(pieces)
        name = f"{workspace}/archive/{int(now // 86_400)}/{sha256(content).hexdigest()}"
        await self.blobs.put(name, content)
        return name

    async def begin(self, workspace: str, batch: Batch) -> None:
        await self.table.put(Item(keys.batch(workspace, batch.id), encode(batch)), Absent())

    async def batch(self, workspace: str, identifier: str) -> Batch | None:
        item = await self.table.get(keys.batch(workspace, identifier))
        return None if item is None else decode(item.body, Batch)

    async def undone(self, workspace: str) -> Batch | None:
        """A batch that somebody began and did not end; the oldest of them."""
        page = await self.table.query(keys.batches(workspace, self.kept, newest_first=True))
        left = [batch for item in page.items if not (batch := decode(item.body, Batch)).done]
        return left[-1] if left else None

    async def oldest(self, workspace: str) -> Batch | None:
        page = await self.table.query(keys.batches(workspace, 1, newest_first=False))
        return decode(page.items[0].body, Batch) if page.items else None

    async def end(self, workspace: str, batch: Batch) -> None:
        """Its books are gone. It is remembered for as long as its blob is."""
        if batch.blob:
            await self.table.put(
                Item(keys.batch(workspace, batch.id), encode(msgspec.structs.replace(batch, done=True)))
            )
        else:
            await self.table.delete(keys.batch(workspace, batch.id))

    async def drop(self, workspace: str, batch: Batch) -> None:
        """Nothing refers to it any more."""
        if batch.blob:
            await self.blobs.delete(batch.blob)
        await self.table.delete(keys.batch(workspace, batch.id))


_decoder = msgspec.json.Decoder(_Line)
_turns = msgspec.json.Decoder(Turn)
