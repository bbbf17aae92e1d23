"""A table that is another one: for tables that do one thing otherwise (tests and benchmarks make them)."""

from collections.abc import Sequence
from dataclasses import dataclass

from linkflow.ports import Condition, Item, Key, Page, Range, Send, Table, Write


@dataclass(slots=True)
class Through:
    """Every call goes to `table`, but for what those that are made of it do otherwise."""

    table: Table

    async def get(self, key: Key) -> Item | None:
        return await self.table.get(key)

    async def put(self, item: Item, when: Condition = None, sends: Sequence[Send] = ()) -> Item | None:
        return await self.table.put(item, when, sends)

    async def query(self, what: Range) -> Page:
        return await self.table.query(what)

    async def delete(self, key: Key, when: Condition = None) -> None:
        await self.table.delete(key, when)

    async def transact(self, writes: Sequence[Write]) -> None:
        await self.table.transact(writes)
