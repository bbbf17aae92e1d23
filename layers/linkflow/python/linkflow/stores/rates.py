"""How often something happened in a period of time, counted over all processes.

Periods are cut out of time (each begins at a multiple of its length), and each has one item, whose version is the
count. Taking is one conditional write; what is refused costs nothing once a process has seen the period full. Within
a process those who take stand in line, so that they do not lose the write to one another.
"""

import asyncio
from dataclasses import dataclass, field

from linkflow.errors import ConditionFailed
from linkflow.ports import Absent, Condition, Item, Table, Unchanged
from linkflow.stores import keys

_KEPT = 10_000
"""Periods a process remembers; beyond that, those that are over are forgotten."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Whether one more was granted, how many are left, and when the next period begins (seconds since 1970)."""

    granted: bool
    left: int
    resets_at: float


@dataclass(slots=True)
class _Period:
    begins: float
    ends: float
    count: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Rates:
    __slots__ = ("_periods", "_table")

    def __init__(self, table: Table) -> None:
        self._table = table
        self._periods: dict[str, _Period] = {}

    async def take(self, name: str, limit: int, seconds: int, now: float) -> Taken:
        """One of the `limit` that `name` may have in each period of `seconds`."""
        period = self._period(name, seconds, now)
        async with period.turn:
            granted = period.count < limit and await self._counted(name, period, limit)
        return Taken(granted, max(0, limit - period.count), period.ends)

    def _period(self, name: str, seconds: int, now: float) -> _Period:
        begins = now // seconds * seconds
        period = self._periods.get(name)
        if period is None or period.begins != begins:
            if len(self._periods) >= _KEPT:
                self._periods = {known: one for known, one in self._periods.items() if one.ends > now}
            period = self._periods[name] = _Period(begins, begins + seconds)
        return period

    async def _counted(self, name: str, period: _Period, limit: int) -> bool:
        """Write the next count, unless others used up the period."""
        while period.count < limit:
            when: Condition = Unchanged(period.count) if period.count else Absent()
            key, count = keys.rate(name, period.begins), period.count + 1
            try:
                found = await self._table.put(Item(key, b"", version=count, expires_at=period.ends), when)
            except ConditionFailed:  # the period is over and its item gone
                period.count = 0
                continue
            period.count = count if found is None else found.version
            if found is None:
                return True
        return False
