"""Each port with the weather around it, as one process sees it.

A call takes its time, is struck by its fault, and never returns to a process that is dead: there it is cancelled, and
so nothing that stands in a `finally` reaches a store. While a visit runs for one workspace, a key of another is noted.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from linkflow.adapters.clock import VirtualClock
from linkflow.engine.platform.system import SYSTEM
from linkflow.errors import Throttled, Unreachable
from linkflow.ports import (
    Blobs,
    Condition,
    Http,
    HttpRequest,
    HttpResponse,
    Item,
    Key,
    KeyRing,
    Message,
    Page,
    Put,
    Queue,
    Range,
    Send,
    Table,
    Write,
)
from tests.simulation.weather import Fault, Line, Weather

T = TypeVar("T")
NOT_DONE: Final = " (not done)"
WORKSPACE: ContextVar[str | None] = ContextVar("simulated_workspace", default=None)
"""For whom the code at hand is running; None: for everybody (a tick, a lookup by token)."""


class Mortal(Protocol):
    """The process a port belongs to."""

    name: str
    alive: bool
    frozen_until: float

    def die(self) -> None: ...


@dataclass(slots=True)
class Passage:
    """The way of every call from one process to its port."""

    process: Mortal
    weather: Weather
    clock: VirtualClock
    trespasses: list[str]
    telling: bool = False

    async def __call__(
        self, what: str, subject: str, do: Callable[[], Awaitable[T]], content: bytes | None = None
    ) -> T:
        self._must_live()
        weather, clock = self.weather, self.clock
        fault = weather.strikes(what, clock.now())
        if fault is not None and fault.kind == "frozen":
            self.process.frozen_until = max(self.process.frozen_until, clock.now() + fault.seconds)
        await clock.sleep(weather.latency() + (fault.seconds if fault is not None and fault.kind == "slow" else 0.0))
        await self._thaw()
        self._before(what, subject, fault)
        answer = await do()
        self.note(what, subject, _told(answer) if self.telling else "", fault, content)
        if fault is not None and fault.kind == "done twice":
            answer = await do()
        self._after(what, fault)
        self._must_live()
        return answer

    def note(self, what: str, subject: str, outcome: str, fault: Fault | None, content: bytes | None = None) -> None:
        told = "" if fault is None else str(fault)
        self.weather.lines.append(Line(self.clock.now(), self.process.name, what, subject, outcome, told, content))

    async def _thaw(self) -> None:
        """A frozen process goes on later as if nothing had been, and does not know it."""
        self._must_live()
        while self.process.frozen_until > self.clock.now():
            await self.clock.sleep(self.process.frozen_until - self.clock.now())
            self._must_live()

    def _before(self, what: str, subject: str, fault: Fault | None) -> None:
        if fault is None or fault.kind not in ("throttled", "unreachable", "dies before", "dies unsent"):
            return
        self.note(what, subject, NOT_DONE, fault)
        if fault.kind.startswith("dies"):
            self.process.die()
            raise asyncio.CancelledError
        raise (Throttled if fault.kind == "throttled" else Unreachable)(f"The simulated {what}")

    def _after(self, what: str, fault: Fault | None) -> None:
        if fault is not None and fault.kind == "answer lost":
            raise Unreachable(f"The simulated {what}")
        if fault is not None and fault.kind == "dies after":
            self.process.die()

    def _must_live(self) -> None:
        if not self.process.alive:
            raise asyncio.CancelledError

    def guard(self, name: str) -> None:
        """Note it when `name` is another workspace's. (The platform's own works for all.)"""
        ours = WORKSPACE.get()
        if ours in (None, SYSTEM) or "ws_" not in name:
            return
        for part in name.replace("/", "#").split("#"):
            if part.startswith("ws_") and part not in (ours, SYSTEM):
                self.trespasses.append(f"{self.process.name}, while it worked for {ours}, touched {name}")


def _told(answer: object) -> str:
    match answer:
        case Item(key=key, version=version):
            return f" ← {key.sk} v{version} stands there"
        case Page(items=items):
            return f" → {len(items)} items"
        case list() | tuple():
            return " → " + ", ".join(
                f"{one.id}×{one.receives} {one.body.decode()[:120]}" for one in answer if isinstance(one, Message)
            )
        case HttpResponse(status=status):
            return f" → {status}"
        case _:
            return ""


@dataclass(slots=True)
class TheTable:
    """`apart`: queues are kept elsewhere, so a put and what it sends are two calls (as on AWS)."""

    inner: Table
    queue: Queue
    through: Passage
    apart: bool

    async def get(self, key: Key) -> Item | None:
        self.through.guard(key.pk)
        return await self.through("table.get", f"{key.pk} {key.sk}", lambda: self.inner.get(key))

    async def put(self, item: Item, when: Condition = None, sends: Sequence[Send] = ()) -> Item | None:
        self.through.guard(item.key.pk)
        together = () if self.apart else sends
        ahead = [one for one in sends if self.apart and one.ahead]
        behind = [one for one in sends if self.apart and not one.ahead]
        if ahead:
            await send(self.through, self.queue, "sends", ahead)
        subject = f"{item.key.pk} {item.key.sk}"
        content = (item.body or item.payload) if self.through.telling else None
        stands = await self.through("table.put", subject, lambda: self.inner.put(item, when, together), content)
        if stands is None and behind:
            await send(self.through, self.queue, "sends", behind)
        return stands

    async def query(self, what: Range) -> Page:
        self.through.guard(what.pk)
        return await self.through("table.query", f"{what.pk} {what.first}…", lambda: self.inner.query(what))

    async def delete(self, key: Key, when: Condition = None) -> None:
        self.through.guard(key.pk)
        await self.through("table.delete", f"{key.pk} {key.sk}", lambda: self.inner.delete(key, when))

    async def transact(self, writes: Sequence[Write]) -> None:
        keys = [write.item.key if isinstance(write, Put) else write.key for write in writes]
        for key in keys:
            self.through.guard(key.pk)
        subject = ", ".join(f"{key.pk} {key.sk}" for key in keys)
        await self.through("table.transact", subject, lambda: self.inner.transact(writes))


async def send(through: Passage, queue: Queue, what: str, messages: Sequence[Send]) -> None:
    """What need not keep its order may come late."""
    subject = ", ".join(f"{one.queue} {one.body.decode()[:150]}" for one in messages)
    fault = through.weather.strikes("letters", through.clock.now())
    if fault is not None:
        through.note("letters", subject, "", fault)
        messages = [_later(one, fault.seconds) for one in messages]
    await through(what, subject, lambda: queue.send(messages))


def _later(message: Send, seconds: float) -> Send:
    if message.group is not None:
        return message
    return Send(message.queue, message.body, None, message.deduplication, min(900.0, message.delay + seconds))


@dataclass(slots=True)
class TheQueue:
    inner: Queue
    through: Passage

    async def send(self, messages: Sequence[Send]) -> None:
        await send(self.through, self.inner, "queue.send", messages)

    async def receive(self, queue: str, limit: int = 10, wait: float = 0.0) -> Sequence[Message]:
        """What is delivered twice is given back at once, as if its visibility had run out."""
        messages = await self.through("queue.receive", queue, lambda: self.inner.receive(queue, limit, wait))
        fault = self.through.weather.strikes("delivery", self.through.clock.now()) if messages else None
        if fault is not None:
            self.through.note("delivery", queue, "", fault)
            for message in messages:
                await self.inner.postpone(message, 0)
        return messages

    async def delete(self, messages: Sequence[Message]) -> None:
        subject = ", ".join(f"{one.queue} {one.id}×{one.receives}" for one in messages)
        await self.through("queue.delete", subject, lambda: self.inner.delete(messages))

    async def postpone(self, message: Message, seconds: float) -> None:
        subject = f"{message.queue} {message.id}×{message.receives} by {seconds:.0f} s"
        await self.through("queue.postpone", subject, lambda: self.inner.postpone(message, seconds))

    async def depth(self, queue: str) -> int:
        return await self.through("queue.depth", queue, lambda: self.inner.depth(queue))


@dataclass(slots=True)
class TheBlobs:
    inner: Blobs
    through: Passage

    async def put(self, name: str, content: bytes) -> None:
        self.through.guard(name)
        await self.through("blobs.put", name, lambda: self.inner.put(name, content))

    async def get(self, name: str) -> bytes | None:
        self.through.guard(name)
        return await self.through("blobs.get", name, lambda: self.inner.get(name))

    async def delete(self, name: str) -> None:
        self.through.guard(name)
        await self.through("blobs.delete", name, lambda: self.inner.delete(name))


@dataclass(slots=True)
class TheKeyRing:
    inner: KeyRing
    through: Passage

    async def seal(self, plaintext: bytes, context: Mapping[str, str]) -> bytes:
        return await self.through("keyring.seal", "", lambda: self.inner.seal(plaintext, context))

    async def open(self, sealed: bytes, context: Mapping[str, str]) -> bytes:
        return await self.through("keyring.open", "", lambda: self.inner.open(sealed, context))


@dataclass(slots=True)
class TheHttp:
    inner: Http
    through: Passage

    async def request(self, request: HttpRequest) -> HttpResponse:
        subject = f"{request.url} {request.headers.get('Idempotency-Key', '')}"
        return await self.through("http.request", subject, lambda: self.inner.request(request))


@dataclass(slots=True)
class TheClock:
    """The process's own, which may go wrong by `skew` seconds."""

    inner: VirtualClock
    process: Mortal
    skew: float = 0.0

    def now(self) -> float:
        return self.inner.now() + self.skew

    async def sleep(self, seconds: float) -> None:
        await self.inner.sleep(seconds)
        if not self.process.alive:
            raise asyncio.CancelledError
