"""Several engines over one store, as several processes have them, whose calls to it are carried out in any order."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from random import Random

from linkflow.adapters.clock import VirtualClock
from linkflow.engine.engine import Engine
from linkflow.engine.rules import Rules
from linkflow.engine.turns import Turns
from linkflow.ports import Condition, Item, Key, Page, Range, Send, Table, Write
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import in_memory
from linkflow.stores.leases import Leases
from linkflow.stores.limits import LimitItems
from linkflow.stores.rules import RuleItems


@dataclass(frozen=True)
class Jumbled:
    """A table whose calls take their time, each another one."""

    table: Table
    random: Random

    async def _wander(self) -> None:
        for _ in range(self.random.randrange(4)):
            await asyncio.sleep(0)

    async def get(self, key: Key) -> Item | None:
        await self._wander()
        return await self.table.get(key)

    async def put(self, item: Item, when: Condition = None, sends: Sequence[Send] = ()) -> Item | None:
        await self._wander()
        return await self.table.put(item, when, sends)

    async def query(self, what: Range) -> Page:
        await self._wander()
        return await self.table.query(what)

    async def delete(self, key: Key, when: Condition = None) -> None:
        await self._wander()
        await self.table.delete(key, when)

    async def transact(self, writes: Sequence[Write]) -> None:
        await self.table.transact(writes)


@asynccontextmanager
async def processes(seed: int, count: int, clock: VirtualClock | None = None) -> AsyncIterator[list[Engine]]:
    world = in_memory(Settings(), clock or VirtualClock())
    table = Jumbled(world.table, Random(seed))
    items = RuleItems(table)
    yield [
        replace(
            world.engine,
            table=table,
            limit_items=LimitItems(table),
            leases=Leases(table),
            rule_items=items,
            rules=Rules(items, world.clock),
            turns=Turns(),
            shares={},
            process=f"process {number}",
        )
        for number in range(count)
    ]
    await world.close()
