"""A sign of life of the timer: the one thing that must happen without anybody asking for it."""

from dataclasses import dataclass

import msgspec

from linkflow.ports import Item, Table
from linkflow.stores import keys
from linkflow.stores.records import decode, encode


class Pulse(msgspec.Struct, frozen=True):
    """The sweep at the moment `at` announced so many due `schedules`, looked after so many `executions`, and took so
    many `seconds`. `settled`: what started before this moment went through the census."""

    at: float
    schedules: int
    executions: int
    seconds: float
    settled: float = 0.0


@dataclass(frozen=True, slots=True)
class Pulses:
    table: Table

    async def put(self, pulse: Pulse) -> None:
        await self.table.put(Item(keys.pulse(), encode(pulse)))

    async def get(self) -> Pulse | None:
        item = await self.table.get(keys.pulse())
        return decode(item.body, Pulse) if item else None
