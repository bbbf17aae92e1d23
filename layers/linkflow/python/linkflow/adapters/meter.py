"""What AWS would bill for what the ports are asked to do, whatever they stand on: PLATFORMS §6.

    meter = Meter()
    queue, blobs = MeteredQueue(queue, SPECS, meter), MeteredBlobs(blobs, meter)
    table = MeteredTable(table, queue, meter)

A table there sends by calls of its own, so the metered one does too. The rules are those of DynamoDB and SQS (developer
guides, "capacity unit consumption", "request size"): a write is billed by the larger of the old and the new item, once
more for each index entry that is made, changed or removed, and twice within a transaction; a refused write is billed
too; reads by what they read. A queue call is billed in pieces of 64 KB, and holds at most ten messages. `Meter.shares`
says what the units were spent on.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Final

from linkflow.adapters.prices import DOLLARS, Unit
from linkflow.ports import (
    Blobs,
    Condition,
    Delete,
    Index,
    Item,
    Key,
    Message,
    Page,
    Put,
    Queue,
    QueueSpec,
    Range,
    Send,
    Table,
    Write,
)

_KILOBYTE: Final = 1_024
_PIECE: Final = 64 * _KILOBYTE
_CALL: Final = 256 * _KILOBYTE
_BATCH: Final = 10


@dataclass(slots=True)
class Meter:
    """Units by kind, and by kind and purpose (`TURN`, `SUMMARY listing`, `lane`); `calls` over the network, of which
    each costs time whatever it is billed for."""

    calls: int = 0
    units: Counter[Unit] = field(default_factory=Counter)
    shares: Counter[tuple[Unit, str]] = field(default_factory=Counter)

    def count(self, unit: Unit, number: float, purpose: str) -> None:
        self.units[unit] += number  # type: ignore[assignment]  # reads come in halves, compute in fractions
        self.shares[unit, purpose] += number  # type: ignore[assignment]  # same

    def dollars(self) -> float:
        return sum(DOLLARS[unit] * number for unit, number in self.units.items())

    def reset(self) -> None:
        self.calls = 0
        self.units.clear()
        self.shares.clear()


@dataclass(frozen=True, slots=True)
class _Stored:
    """An item as it is billed for: its bytes, and for each index it is in the key there and the entry's bytes."""

    size: int
    entries: Mapping[Index, tuple[Key, int]]


@dataclass(slots=True)
class MeteredTable:
    table: Table
    queue: Queue
    meter: Meter
    _known: dict[Key, _Stored] = field(default_factory=dict)

    async def get(self, key: Key) -> Item | None:
        found = await self.table.get(key)
        self._read(key.sk, [found] if found else [], 1.0)
        return found

    async def put(self, item: Item, when: Condition = None, sends: Sequence[Send] = ()) -> Item | None:
        if ahead := [one for one in sends if one.ahead]:
            await self.queue.send(ahead)
        winner = await self.table.put(item, when)
        self.meter.calls += 1
        if winner is not None:
            self.meter.count(Unit.WRITE, _units(_size(winner), _KILOBYTE), f"{_purpose(item.key.sk)} refused")
            return winner
        self._write(item.key, item, 1)
        if behind := [one for one in sends if not one.ahead]:
            await self.queue.send(behind)
        return None

    async def query(self, what: Range) -> Page:
        page = await self.table.query(what)
        purpose = what.first if what.index is None else what.index.value
        self._read(purpose, page.items, 1.0 if what.index is None else 0.5)
        return page

    async def delete(self, key: Key, when: Condition = None) -> None:
        await self.table.delete(key, when)
        self.meter.calls += 1
        self._write(key, None, 1)

    async def transact(self, writes: Sequence[Write]) -> None:
        await self.table.transact(writes)
        self.meter.calls += 1
        for write in writes:
            match write:
                case Put(item):
                    self._write(item.key, item, 2)
                case Delete(key):
                    self._write(key, None, 2)

    def _read(self, what: str, items: Sequence[Item], share: float) -> None:
        size = sum(_size(item) for item in items)
        self.meter.calls += 1
        self.meter.count(Unit.READ, share * _units(size, 4 * _KILOBYTE), _purpose(what))

    def _write(self, key: Key, item: Item | None, times: int) -> None:
        """`times`: 2 within a transaction (index entries are billed once all the same)."""
        before = self._known.pop(key, _Stored(0, {}))
        after = _Stored(0, {}) if item is None else _stored(item)
        if item is not None:
            self._known[key] = after
        purpose = _purpose(key.sk)
        self.meter.count(Unit.WRITE, times * _units(max(before.size, after.size), _KILOBYTE), purpose)
        for index in before.entries.keys() | after.entries.keys():
            units = _entry_units(before.entries.get(index), after.entries.get(index))
            self.meter.count(Unit.WRITE, units, f"{purpose} {index}")


@dataclass(slots=True)
class MeteredQueue:
    queue: Queue
    specs: Sequence[QueueSpec]
    meter: Meter

    async def send(self, messages: Sequence[Send]) -> None:
        await self.queue.send(messages)
        for queue in {message.queue for message in messages}:
            self._called(queue, [len(message.body) for message in messages if message.queue == queue])

    async def receive(self, queue: str, limit: int = 10, wait: float = 0.0) -> Sequence[Message]:
        """What comes empty-handed is not counted: it is the price of an idle queue, not of an execution."""
        found = await self.queue.receive(queue, limit, wait)
        self._called(queue, [len(message.body) for message in found])
        self.meter.count(Unit.INVOCATION, ceil(len(found) / _BATCH), queue)
        return found

    async def delete(self, messages: Sequence[Message]) -> None:
        await self.queue.delete(messages)
        for queue in {message.queue for message in messages}:
            self._called(queue, [0 for message in messages if message.queue == queue])

    async def postpone(self, message: Message, seconds: float) -> None:
        await self.queue.postpone(message, seconds)
        self._called(message.queue, [0])

    async def depth(self, queue: str) -> int:
        return await self.queue.depth(queue)

    def _called(self, queue: str, sizes: Sequence[int]) -> None:
        fifo = any(spec.fifo for spec in self.specs if queue in (spec.name, spec.dead_letters))
        for call in _calls(sizes):
            self.meter.calls += 1
            self.meter.count(Unit.FIFO if fifo else Unit.QUEUE, _units(sum(call), _PIECE), queue)


@dataclass(slots=True)
class MeteredBlobs:
    blobs: Blobs
    meter: Meter

    async def put(self, name: str, content: bytes) -> None:
        await self.blobs.put(name, content)
        self.meter.count(Unit.BLOB_PUT, 1, "blob")

    async def get(self, name: str) -> bytes | None:
        self.meter.count(Unit.BLOB_GET, 1, "blob")
        return await self.blobs.get(name)

    async def delete(self, name: str) -> None:
        """Free on S3."""
        await self.blobs.delete(name)


def _calls(sizes: Sequence[int]) -> list[list[int]]:
    """Messages as the SDK is given them: ten, and 256 KB, at most."""
    calls: list[list[int]] = []
    for size in sizes:
        if not calls or len(calls[-1]) == _BATCH or sum(calls[-1]) + size > _CALL:
            calls.append([])
        calls[-1].append(size)
    return calls


def _units(size: int, unit: int) -> int:
    """Begun ones count whole, and nothing counts as one."""
    return max(1, ceil(size / unit))


def _entry_units(before: tuple[Key, int] | None, after: tuple[Key, int] | None) -> int:
    if before is not None and after is not None and before[0] == after[0]:
        return _units(max(before[1], after[1]), _KILOBYTE)
    return sum(_units(entry[1], _KILOBYTE) for entry in (before, after) if entry is not None)


def _stored(item: Item) -> _Stored:
    own = _keys("pk", "sk", item.key) + 1 + len(item.body) + _number(item.version)
    entries = {index: (key, own + _keys(f"{index}_pk", f"{index}_sk", key)) for index, key in item.indexes.items()}
    return _Stored(_size(item), entries)


def _size(item: Item) -> int:
    """Bytes of an item as the table stores it: the names of its attributes count too."""
    size = _keys("pk", "sk", item.key) + 1 + len(item.body) + _number(item.version)
    if item.payload is not None:
        size += 1 + len(item.payload)
    if item.expires_at is not None:
        size += 3 + _number(int(item.expires_at))
    return size + sum(_keys(f"{index}_pk", f"{index}_sk", key) for index, key in item.indexes.items())


def _keys(pk_name: str, sk_name: str, key: Key) -> int:
    return len(pk_name) + len(sk_name) + len(key.pk.encode()) + len(key.sk.encode())


def _number(value: int) -> int:
    """One byte for every two digits, one more, and the attribute's name (`v`)."""
    return 2 + ceil(len(str(value)) / 2)


def _purpose(sk: str) -> str:
    return sk.partition("#")[0] or "query"
