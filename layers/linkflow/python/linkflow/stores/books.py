"""Books: the events of an execution, turn by turn, on the Table port.

A turn is one item, put only if its number is free: that single write gives order, optimistic concurrency and the record
in one atom. The opening (turn 0) rides in the summary item, so an execution begins with one write. Loading is one
backwards query down to the nearest snapshot; a snapshot rides in a turn as soon as the turns behind the last one
outweigh it, so its cost and the cost of loading stay in proportion to the state, whatever the length of the book.

A book that was archived is read from there. One is recognised by its summary, which has lost its opening; turns are
removed from the first on, so whoever reads on behind a turn meets a gap, or nothing, and looks at the summary.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import msgspec

from linkflow.errors import Broken
from linkflow.execution.events import Event
from linkflow.execution.evolve import evolve
from linkflow.execution.state import State
from linkflow.ports import Absent, Blobs, Item, Send, Table
from linkflow.stores import archive, keys
from linkflow.stores.records import Archived, Summary, decode
from linkflow.stores.schemas import Schemas
from linkflow.stores.turns import Numbered, Turn

COMPRESS_ABOVE = 1_024
"""Bytes: a write unit. Smaller turns are not worth the time."""
SPILL_ABOVE = 64 * 1_024
"""Bytes after compression above which content goes to the blob store."""
SNAPSHOT_ABOVE = 16 * 1_024
"""Bytes of turns behind a snapshot below which no new one is taken."""
_PAGE = 100
_SMALL = 16 * 1_024

__all__ = ["COMPRESS_ABOVE", "SNAPSHOT_ABOVE", "SPILL_ABOVE", "Book", "Books", "Numbered", "Turn"]


@dataclass(slots=True)
class Book:
    """An execution's state, as of turn `number`. Owned by whoever drives the execution."""

    workspace: str
    execution: str
    state: State
    number: int = 0
    weight: int = 0
    """Bytes of turns since the last snapshot."""
    snapshot: int = 0
    """Bytes of the last snapshot."""
    summary: Item | None = None
    """The summary item, where loading came by it (it holds the opening). It may be outdated."""


@dataclass(frozen=True, slots=True)
class Books:
    table: Table
    blobs: Blobs
    schemas: Schemas = field(default_factory=Schemas)
    _encoder: msgspec.json.Encoder = field(default_factory=msgspec.json.Encoder)
    _decoder: msgspec.json.Decoder[Turn] = field(default_factory=lambda: msgspec.json.Decoder(Turn))

    async def opening(self, workspace: str, execution: str, turn: Turn) -> bytes:
        """Turn 0 as the payload of the summary item."""
        written = msgspec.structs.replace(turn, schema=self.schemas.current)
        return await self._packed(workspace, execution, 0, self._encoder.encode(written))

    async def append(
        self, book: Book, events: Sequence[Event], at: float, sends: Sequence[Send] = (), *, bare: bool = False
    ) -> bool:
        """Write the next turn; the state already holds it. False: somebody else wrote that turn, and `book` is
        outdated (load it again). A `bare` one takes no snapshot along."""
        number = book.number + 1
        encoded = self._encoder.encode(Turn(at, tuple(events), self.schemas.current))
        snapshot = None if bare else await self._snapshot_if_due(book, number, len(encoded))
        body = await self._packed(book.workspace, book.execution, number, encoded)
        item = Item(keys.turn(book.workspace, book.execution, number), body, snapshot, self.schemas.current)
        if await self.table.put(item, Absent(), sends) is not None:
            return False
        book.number = number
        book.weight = 0 if snapshot else book.weight + len(encoded)
        return True

    async def load(self, workspace: str, execution: str) -> Book | None:
        """The state as its last turn left it. None: no such execution."""
        newest_first: list[Item] = []
        state = None
        where = keys.book(workspace, execution, backwards=True, limit=_PAGE)
        while state is None:
            page = await self.table.query(where)
            for item in page.items:
                if item.payload is not None and keys.turn_number(item.key) > 0:
                    content = await self._unpacked(item.payload)
                    state = self.schemas.snapshot(content, State, item.version, _named(item))
                    book = Book(workspace, execution, state, keys.turn_number(item.key), 0, len(content))
                    break
                newest_first.append(item)
            if state is None and page.cursor is None:
                if not newest_first or keys.turn_number(newest_first[-1].key) > 0:
                    return None  # (without a summary there is only what retention is about to remove)
                state = State()
                book = Book(workspace, execution, state)
            if page.cursor is not None:
                where = replace(where, after=page.cursor)
        if (where_it_is := _archived(newest_first[-1:])) is not None:
            return await self._from_archive(Book(workspace, execution, State()), newest_first[-1], where_it_is)
        for item in reversed(newest_first):
            await self._apply(book, item)
        book.state.resume()
        return book

    async def turns(self, workspace: str, execution: str, after: int = -1, limit: int = 200) -> list[Numbered]:
        """The turns behind number `after`, in order; -1 begins with the opening."""
        if after < 0:
            where = keys.book(workspace, execution, backwards=False, limit=limit)
        else:
            where = keys.turns_behind(workspace, execution, after, limit)
        page = await self.table.query(where)
        if (found := await self._moved(workspace, execution, page.items, after)) is not None:
            return [one for one in await archive.read(self.blobs, found) if one.number > after][:limit]
        if after < 0 and page.items and keys.turn_number(page.items[0].key) > 0:
            return []  # (as in `load`)
        return [await self._numbered(item) for item in page.items]

    async def whole(self, workspace: str, execution: str) -> list[Numbered]:
        """All turns, in order; none: no such execution."""
        turns: list[Numbered] = []
        while found := await self.turns(workspace, execution, turns[-1].number if turns else -1):
            turns += found
        return turns

    async def turns_back(self, workspace: str, execution: str, before: int | None, limit: int = 200) -> list[Numbered]:
        """The turns before number `before` (None: all), newest first."""
        page = await self.table.query(keys.turns_before(workspace, execution, before, limit))
        if (found := _archived(page.items[-1:])) is not None:
            turns = await archive.read(self.blobs, found)
            return [one for one in reversed(turns) if before is None or one.number < before][:limit]
        return [await self._numbered(item) for item in page.items]

    async def last_number(self, workspace: str, execution: str) -> int | None:
        """The number of the last turn. None: no such execution."""
        page = await self.table.query(keys.book(workspace, execution, backwards=True, limit=1))
        if (found := _archived(page.items)) is not None:
            return found.turns
        return keys.turn_number(page.items[0].key) if page.items else None

    def spilled(self, item: Item) -> list[str]:
        """The names of the blobs that this item of a book refers to."""
        return [part[1:].decode() for part in (item.payload, item.body) if part and part[:1] == b"@"]

    async def _moved(self, workspace: str, execution: str, items: Sequence[Item], after: int) -> Archived | None:
        """Where the book is, if what was read behind turn `after` is not what was written there."""
        first = max(after + 1, 0)
        if after < 0 or [keys.turn_number(item.key) for item in items] == [*range(first, first + len(items))] != []:
            return _archived(items[:1])
        summary = await self.table.get(keys.summary(workspace, execution))
        return None if summary is None else _archived([summary])

    async def _from_archive(self, book: Book, summary: Item, where: Archived) -> Book:
        for numbered in await archive.read(self.blobs, where):
            for event in numbered.turn.events:
                evolve(book.state, event, numbered.turn.at)
            book.number = numbered.number
        book.summary = summary
        book.state.resume()
        return book

    async def _numbered(self, item: Item) -> Numbered:
        number = keys.turn_number(item.key)
        content = item.payload if number == 0 else item.body
        if content is None:
            raise Broken(f"The book {item.key.pk} has no opening.")
        return Numbered(number, self.schemas.turn(await self._unpacked(content), self._decoder, _named(item)))

    async def _apply(self, book: Book, item: Item) -> None:
        numbered = await self._numbered(item)
        if numbered.number == 0:
            book.summary = item
        for event in numbered.turn.events:
            evolve(book.state, event, numbered.turn.at)
        book.number = numbered.number
        book.weight += len(item.body)

    async def _snapshot_if_due(self, book: Book, number: int, size: int) -> bytes | None:
        if book.weight + size <= max(SNAPSHOT_ABOVE, book.snapshot) or book.state.closed:
            return None
        encoded = self._encoder.encode(book.state)
        book.snapshot = len(encoded)
        return await self._packed(book.workspace, book.execution, number, encoded, "snapshot")

    async def _packed(self, workspace: str, execution: str, number: int, content: bytes, kind: str = "turn") -> bytes:
        """As is, compressed, or a reference into the blob store; the first byte tells."""
        if len(content) <= COMPRESS_ABOVE:
            return content
        packed = b"z" + _squeezed(content)
        if len(packed) <= SPILL_ABOVE:
            return packed
        # The check sum makes the name that of the content: two visits that race for a turn never share a blob.
        name = f"{workspace}/{execution}/{kind}-{number:08d}-{zlib.crc32(packed):08x}"
        await self.blobs.put(name, packed)
        return b"@" + name.encode()

    async def _unpacked(self, content: bytes) -> bytes:
        if content[:1] == b"@":
            name = content[1:].decode()
            found = await self.blobs.get(name)
            if found is None:
                raise Broken(f"The blob {name} is gone.")
            content = found
        return zlib.decompress(content[1:]) if content[:1] == b"z" else content


def _archived(items: Sequence[Item]) -> Archived | None:
    """Where the book is whose summary is the only one of `items`, if it is in the archive."""
    if len(items) != 1 or items[0].key.sk != keys.SUMMARY or items[0].payload is not None:
        return None
    return decode(items[0].body, Summary).archived


def _named(item: Item) -> str:
    return f"Turn {keys.turn_number(item.key)} of the book {item.key.pk}"


def _squeezed(content: bytes) -> bytes:
    """With a window that fits: laying out a large one takes eight times as long as compressing a usual turn."""
    window, memory = (12, 5) if len(content) <= _SMALL else (15, 8)
    press = zlib.compressobj(1, zlib.DEFLATED, window, memory)
    return press.compress(content) + press.flush()
