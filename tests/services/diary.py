"""A service for the tests of hosts: a diary. What it is told, it writes down; a message that says `bad` fails."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from linkflow.adapters.clock import VirtualClock
from linkflow.adapters.ids import SeededIds
from linkflow.errors import Throttled
from linkflow.ports import Message, QueueSpec, Send
from linkflow.runtime.functions import Declare, Function, HttpRoutes, QueueTrigger, Schedule
from linkflow.runtime.routes import Routes, Schema
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import World, in_memory, not_connected

PLAIN = QueueSpec("plain", visibility=30)
LINE = QueueSpec("line", fifo=True, visibility=30)
SETTINGS = Settings()


class Entry(Schema):
    text: str


@dataclass
class Diary:
    entries: list[str] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    door: asyncio.Event | None = None

    async def write(self, message: Message) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        if self.door:
            await self.door.wait()
        self.at_once -= 1
        text = message.body.decode()
        if text == "bad":
            raise Throttled("The diary")
        if text == "worse":
            raise RuntimeError("no pen")
        self.entries.append(text)


def keeping(diary: Diary, concurrency: int = 100) -> Declare:
    def functions(world: World) -> Sequence[Function]:
        routes = Routes()

        @routes.post("/diary/<page>", status_code=201)
        async def write(page: str, body: Entry, loud: bool = False) -> dict[str, object]:
            diary.entries.append(body.text.upper() if loud else body.text)
            return {"page": page, "at": world.clock.now()}

        async def tick(now: float) -> None:
            diary.entries.append(f"tick {now - 1_750_000_000:g}")

        return [
            Function("diary_http", "diary", HttpRoutes(routes)),
            Function("diary_plain", "diary", QueueTrigger(PLAIN, diary.write, concurrency=concurrency)),
            Function("diary_line", "diary", QueueTrigger(LINE, diary.write)),
            Function("diary_hourly", "diary", Schedule(3600, tick)),
        ]

    return functions


@dataclass
class Shelf:
    """A queue in memory, on the world's clock: what the hosts' own behaviour needs, and nothing more."""

    clock: VirtualClock
    standing: list[Message] = field(default_factory=list)
    visible_at: dict[str, float] = field(default_factory=dict)
    postponed: list[tuple[str, float]] = field(default_factory=list)
    deletes: int = 0

    async def send(self, messages: Sequence[Send]) -> None:
        for send in messages:
            number = str(len(self.visible_at))
            self.visible_at[number] = self.clock.now()
            self.standing.append(Message(number, send.queue, send.body, 0, number, send.group))

    async def receive(self, queue: str, limit: int = 10, wait: float = 0.0) -> Sequence[Message]:
        for patience in (wait, 0.0):
            now = self.clock.now()
            hidden = {m.group for m in self.standing if m.group and self.visible_at[m.id] > now}
            ready = [
                m
                for m in self.standing
                if m.queue == queue and self.visible_at[m.id] <= now and (m.group is None or m.group not in hidden)
            ][:limit]
            if ready or not patience:
                break
            await self.clock.sleep(patience)
        taken = [Message(m.id, m.queue, m.body, m.receives + 1, f"{m.id}/{m.receives + 1}", m.group) for m in ready]
        for message in taken:
            self.standing[[m.id for m in self.standing].index(message.id)] = message
            self.visible_at[message.id] = self.clock.now() + 30
        return taken

    async def delete(self, messages: Sequence[Message]) -> None:
        self.deletes += 1
        self.standing = [m for m in self.standing if m.receipt not in {gone.receipt for gone in messages}]
        await asyncio.sleep(0)

    async def postpone(self, message: Message, seconds: float) -> None:
        self.postponed.append((message.body.decode(), seconds))
        self.visible_at[message.id] = self.clock.now() + seconds

    async def depth(self, queue: str) -> int:
        return sum(message.queue == queue for message in self.standing)


def world_of(shelf: Shelf, closed: Callable[[], None] = lambda: None) -> World:
    """A connected world; what the diary does not use refuses to be used."""
    nowhere, inner = not_connected(SETTINGS), in_memory(SETTINGS, shelf.clock)

    async def close() -> None:
        await inner.close()
        closed()

    return World(
        nowhere.table,
        shelf,
        nowhere.blobs,
        nowhere.keyring,
        shelf.clock,
        SeededIds(1, shelf.clock),
        nowhere.http,
        SETTINGS,
        inner.engine,
        close,
    )


async def at_rest() -> None:
    """Enough turns of the loop for everything that can run to have run."""
    for _ in range(200):
        await asyncio.sleep(0)
