"""A world over another table and queue than its own: ones that fail, die or count."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from linkflow.engine.engine import build
from linkflow.ports import Condition, Item, Key, Page, Queue, Range, Send, Table, Write
from linkflow.runtime.wiring import World


@dataclass(slots=True)
class Through:
    """A table that is another one, but for what those that are made of it do otherwise."""

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


def over(world: World, table: Table, queue: Queue) -> World:
    old = world.engine
    engine = build(
        table,
        queue,
        world.blobs,
        world.clock,
        world.ids,
        world.http,
        old.nodes,
        old.integrations,
        old.limits,
        old.platform,
    )
    return replace(world, table=table, queue=queue, engine=engine)
