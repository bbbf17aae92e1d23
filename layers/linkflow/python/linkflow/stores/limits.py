"""Limits on how much happens at once, and how often: one item per limit that is in use.

    LIMIT#w#name   SLOTS            who holds a slot
                   WAIT#<rank>#<e>  who waits for one, the first in line first
                   RATE             the moment up to which the rate is spent

Taking and giving back a slot is one conditional write of `SLOTS` each. Those who wait have items of their own, so that
the slots stay small however long the line is. Standing in line also counts up the version of `SLOTS`: whoever gives a
slot back and saw no one waiting then fails to write, and looks again; so nobody is forgotten in line.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec

from linkflow.errors import ConditionFailed
from linkflow.ports import Absent, Condition, Index, Item, Key, Range, Table, Unchanged
from linkflow.stores import index_keys, keys
from linkflow.stores.records import decode, encode

CHECK_EVERY = 60.0
"""Seconds between two looks whether the holders of a limit that others wait for are still there."""
_KEPT = 86_400.0
"""Seconds for which an unused limit is kept. (It is never deleted at once: a version must not come twice.)"""


class Holder(msgspec.Struct, frozen=True, omit_defaults=True, array_like=True):
    """`since` when (of an execution: when it could have begun); `asked` to make room; `until` when the slot is given up
    by itself (0: never); `count` slots."""

    since: float
    asked: bool = False
    until: float = 0.0
    count: int = 1


class Slots(msgspec.Struct, frozen=True, omit_defaults=True):
    """`crowded`: somebody waits, so newcomers stand in line. `check_at`: when the holders are looked after then."""

    limit: int
    holders: Mapping[str, Holder] = {}
    crowded: bool = False
    check_at: float = 0.0

    @property
    def free(self) -> int:
        return self.limit - sum(holder.count for holder in self.holders.values())


class Standing(msgspec.Struct, frozen=True):
    """The moment from which one that stands in line counts as old."""

    age: float


class Spent(msgspec.Struct, frozen=True):
    """The rate is spent up to the moment `at`."""

    at: float


@dataclass(frozen=True, slots=True)
class Line:
    """A limit by its name within the workspace: so many at once."""

    workspace: str
    name: str
    limit: int


@dataclass(frozen=True, slots=True)
class Waiter:
    """Who stands in line, and the moment from which it counts as old."""

    key: Key
    who: str
    since: float


@dataclass(frozen=True, slots=True)
class Read:
    """Slots as they were read; version 0: there were none."""

    slots: Slots
    version: int


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `limit` in `seconds`, as a bucket that holds `limit` and fills at that pace."""

    limit: int
    seconds: float


@dataclass(frozen=True, slots=True)
class LimitItems:
    table: Table

    async def slots(self, line: Line) -> Read:
        item = await self.table.get(keys.slots(line.workspace, line.name))
        if item is None:
            return Read(Slots(line.limit), 0)
        return Read(msgspec.structs.replace(decode(item.body, Slots), limit=line.limit), item.version)

    async def save(self, line: Line, read: Read, slots: Slots, now: float) -> bool:
        """False: somebody else wrote since."""
        indexes = {}
        if slots.crowded:
            due = index_keys.due_at(slots.check_at, line.workspace, keys.quoted(line.name))
            indexes[Index.DUE] = Key(index_keys.crowded_limits(), due)
        expires = None if slots.holders or slots.crowded else now + _KEPT
        item = Item(keys.slots(line.workspace, line.name), encode(slots), None, read.version + 1, indexes, expires)
        when: Condition = Unchanged(read.version) if read.version else Absent()
        try:
            return await self.table.put(item, when) is None
        except ConditionFailed:
            return False

    async def crowded(self, now: float, limit: int) -> list[Line]:
        """Limits that somebody waits for and whose holders were not looked after lately."""
        where = Range(index_keys.crowded_limits(), last=index_keys.due_until(now), index=Index.DUE, limit=limit)
        found = []
        for item in (await self.table.query(where)).items:
            workspace, name = index_keys.due_target(item.indexes[Index.DUE].sk)
            found.append(Line(workspace, keys.unquoted(name), decode(item.body, Slots).limit))
        return found

    async def stand(self, line: Line, priority: int, since: float, who: str, age: float | None = None) -> None:
        """Standing in line again changes nothing. `since` is its place, `age` the moment from which it counts as old
        (they differ where a start was put off)."""
        key = keys.waiter(line.workspace, line.name, priority, since, who)
        await self.table.put(Item(key, encode(Standing(since if age is None else age))), Absent())

    async def first(self, line: Line, limit: int) -> list[Waiter]:
        """The first in line."""
        page = await self.table.query(keys.waiters(line.workspace, line.name, limit))
        return [_waiter(item) for item in page.items]

    async def everybody(self, line: Line) -> list[Waiter]:
        """All who stand in line."""
        where, found = keys.waiters(line.workspace, line.name, 1_000), list[Waiter]()
        while True:
            page = await self.table.query(where)
            found += map(_waiter, page.items)
            if page.cursor is None:
                return found
            where = replace(where, after=page.cursor)

    async def leave(self, key: Key) -> None:
        await self.table.delete(key)

    async def reserve(self, workspace: str, name: str, rate: Rate, now: float, patience: float) -> float:
        """The moment at which it is the caller's turn. It is reserved, unless it is more than `patience` seconds away
        (then the same moment may be told to others too)."""
        key = keys.rate_of_limit(workspace, name)
        pace = rate.seconds / rate.limit
        while True:
            item = await self.table.get(key)
            spent = max(now, decode(item.body, Spent).at if item is not None else 0.0)
            moment = max(now, spent - (rate.limit - 1) * pace)
            if moment - now > patience:
                return moment
            version = item.version if item is not None else 0
            taken = Item(key, encode(Spent(spent + pace)), version=version + 1, expires_at=spent + pace + _KEPT)
            when: Condition = Unchanged(version) if version else Absent()
            try:
                if await self.table.put(taken, when) is None:
                    return moment
            except ConditionFailed:
                continue


def _waiter(item: Item) -> Waiter:
    return Waiter(item.key, keys.waiting(item.key), decode(item.body, Standing).age if item.body else 0.0)
