"""Ports of a process that dies at its n-th call to the outside, before the call or right after it."""

from collections.abc import Sequence
from dataclasses import replace

from linkflow.engine.engine import Engine
from linkflow.errors import TryAgain
from linkflow.ports import Condition, Item, Key, Message, Page, Queue, Range, Send, Table, Write
from linkflow.runtime.wiring import World
from tests.services import other_ports


class Died(TryAgain):
    """The process is gone; to whoever called it looks as if nobody answered."""

    def __init__(self) -> None:
        super().__init__("The process is gone.")


class Lifetime:
    """`calls` the process may make; the one behind them kills it, `after` it was done or before."""

    def __init__(self, calls: int, *, after: bool) -> None:
        self.left = calls
        self.after = after

    def before(self) -> None:
        if self.left == 0 and not self.after:
            raise Died

    def behind(self) -> None:
        self.left -= 1
        if self.left == -1:
            raise Died


class DyingTable:
    def __init__(self, table: Table, life: Lifetime, queue: Queue) -> None:
        self.table = table
        self.life = life
        self.queue = queue

    async def get(self, key: Key) -> Item | None:
        self.life.before()
        found = await self.table.get(key)
        self.life.behind()
        return found

    async def put(self, item: Item, when: Condition = None, sends: Sequence[Send] = ()) -> Item | None:
        """As on AWS: what is sent is a call of its own."""
        if ahead := [one for one in sends if one.ahead]:
            await self.queue.send(ahead)
        self.life.before()
        stood = await self.table.put(item, when)
        self.life.behind()
        if stood is None and (behind := [one for one in sends if not one.ahead]):
            await self.queue.send(behind)
        return stood

    async def query(self, what: Range) -> Page:
        self.life.before()
        page = await self.table.query(what)
        self.life.behind()
        return page

    async def delete(self, key: Key, when: Condition = None) -> None:
        self.life.before()
        await self.table.delete(key, when)
        self.life.behind()

    async def transact(self, writes: Sequence[Write]) -> None:
        self.life.before()
        await self.table.transact(writes)
        self.life.behind()


class DyingQueue:
    def __init__(self, queue: Queue, life: Lifetime) -> None:
        self.queue = queue
        self.life = life

    async def send(self, messages: Sequence[Send]) -> None:
        self.life.before()
        await self.queue.send(messages)
        self.life.behind()

    async def receive(self, queue: str, limit: int = 10, wait: float = 0.0) -> Sequence[Message]:
        return await self.queue.receive(queue, limit, wait)

    async def delete(self, messages: Sequence[Message]) -> None:
        await self.queue.delete(messages)

    async def postpone(self, message: Message, seconds: float) -> None:
        await self.queue.postpone(message, seconds)

    async def depth(self, queue: str) -> int:
        return await self.queue.depth(queue)


def dying(world: World, calls: int, *, after: bool) -> Engine:
    """An engine over the world's ports that lives for so many calls."""
    return over(world, Lifetime(calls, after=after))


def over(world: World, life: Lifetime) -> Engine:
    queue = DyingQueue(world.queue, life)
    table = DyingTable(world.table, life, queue)
    return replace(other_ports.over(world, table, queue).engine, programs=world.engine.programs)
