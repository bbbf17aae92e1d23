"""Simulated processes: the embedded host over shared stores, with ports of its own around them.

Killing one cancels every coroutine it ever started, and none of them reaches a store any more; the one that takes its
place begins with nothing but what the stores hold. What a process starts is known by its context.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final, TypeVar

import msgspec

from functions.services import SERVICES
from linkflow.adapters.clock import VirtualClock
from linkflow.adapters.ids import SeededIds
from linkflow.adapters.sqlite.blobs import SqliteBlobs
from linkflow.adapters.sqlite.keyring import FileKeyRing
from linkflow.adapters.sqlite.queue import SqliteQueue
from linkflow.adapters.sqlite.store import Store
from linkflow.adapters.sqlite.table import SqliteTable
from linkflow.engine.programs import Programs
from linkflow.execution.tokens import read_token
from linkflow.language.program import Program
from linkflow.messages import QUEUES, unpacked
from linkflow.nodes.base import BaseNode
from linkflow.ports import Clock, Http, Message
from linkflow.runtime.functions import Declare, Function, HttpRoutes, QueueHandler, QueueTrigger
from linkflow.runtime.hosts.embedded import Embedded
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import World, assemble, not_connected
from linkflow.stores.records import WorkflowVersion
from linkflow.stores.workflows import Workflows
from tests.simulation.ports import (
    WORKSPACE,
    Passage,
    TheBlobs,
    TheClock,
    TheHttp,
    TheKeyRing,
    TheQueue,
    TheTable,
)
from tests.simulation.weather import Line, Weather

T = TypeVar("T")
LONG_POLL: Final = 300.0
"""Seconds: an idle host should not fill the story."""
_PROCESS: ContextVar["Process | None"] = ContextVar("simulated_process", default=None)


@dataclass(slots=True)
class Stores:
    """What outlives every process."""

    clock: VirtualClock
    table: SqliteTable
    queue: SqliteQueue
    blobs: SqliteBlobs
    keyring: FileKeyRing

    @classmethod
    def empty(cls, clock: VirtualClock) -> "Stores":
        store = Store.open(None)
        queue = SqliteQueue(store, clock, QUEUES)
        return cls(clock, SqliteTable(store, queue), queue, SqliteBlobs(store), FileKeyRing({1: bytes(32)}))


class Compiled(Programs):
    """Programs that are compiled once for all processes. (They never change; compiling takes longer than a story.)"""

    def __init__(self, workflows: Workflows, nodes: Mapping[str, type[BaseNode]], compiled: dict[str, Program]) -> None:
        super().__init__(workflows, nodes)
        self.compiled = compiled

    def _compiled(self, version: WorkflowVersion) -> Program:
        if version.hash not in self.compiled:
            self.compiled[version.hash] = super()._compiled(version)
        return self.compiled[version.hash]


@dataclass(frozen=True, slots=True)
class Make:
    """How processes are made: `visit` bounds their visits (None: residents), `apart` says that queues are not kept with
    the table."""

    visit: float | None
    apart: bool
    nodes: dict[str, type[BaseNode]]
    compiled: dict[str, Program]
    telling: bool = False


@dataclass(slots=True)
class Process:
    name: str
    stores: Stores
    make: Make
    weather: Weather
    outside: Http
    trespasses: list[str]
    seed: int
    skew: float
    on_death: Callable[["Process"], None]
    alive: bool = True
    stopping: bool = False
    frozen_until: float = 0.0
    tasks: dict["asyncio.Task[Any]", None] = field(default_factory=dict)
    clock: TheClock = field(init=False)
    world: World = field(init=False)
    embedded: Embedded = field(init=False)

    def __post_init__(self) -> None:
        stores, make = self.stores, self.make
        through = Passage(self, self.weather, stores.clock, self.trespasses, make.telling)
        self.clock = TheClock(stores.clock, self, self.skew)
        queue = TheQueue(stores.queue, through)
        table = TheTable(stores.table, stores.queue, through, make.apart)
        blobs, keyring = TheBlobs(stores.blobs, through), TheKeyRing(stores.keyring, through)
        http, ids = TheHttp(self.outside, through), SeededIds(self.seed, self.clock)
        clock: Clock = self.clock
        settings = Settings(resident=make.visit is None, visit_seconds=make.visit or 1.0)
        ports = (table, queue, blobs, keyring, clock, settings, _nothing_to_close)
        world = assemble(*ports, make.nodes, self._tidy, names=ids, http=http)
        compiled = Compiled(world.engine.workflows, make.nodes, make.compiled)
        self.world = replace(world, engine=replace(world.engine, programs=compiled))
        declared = [function for service in _busy_services() for function in service(self.world)]
        busy = [_for_a_workspace(one) for one in declared if not isinstance(one.trigger, HttpRoutes)]
        self.embedded = Embedded(self.world, busy, LONG_POLL)

    async def _tidy(self, now: float) -> None:
        await self.stores.table.sweep(now)
        await self.stores.queue.sweep(now)

    def start(self) -> None:
        self.note("starts")
        copy_context().run(self._start)

    def _start(self) -> None:
        _PROCESS.set(self)
        self.embedded.start()

    def spawn(self, work: Coroutine[Any, Any, T], workspace: str | None = None) -> "asyncio.Task[T]":
        """Let the process do something, as a request would; when it dies, that is cancelled."""
        context = copy_context()
        context.run(_PROCESS.set, self)
        context.run(WORKSPACE.set, workspace)
        return asyncio.get_running_loop().create_task(work, context=context)

    def die(self) -> None:
        if self.alive:
            self.alive = False
            self.note("is killed")
            for task in list(self.tasks):
                task.cancel()
            self.on_death(self)

    async def stop(self) -> None:
        """In order, as on SIGTERM; requests that are still open then are cut off."""
        self.stopping = True
        self.note("is stopped")
        stopping = self.spawn(self.embedded.stop())
        await asyncio.wait([stopping])
        if self.alive:
            self.note("has ended")
            self.alive = False
            for task in list(self.tasks):
                task.cancel()

    def note(self, what: str) -> None:
        self.weather.lines.append(Line(self.stores.clock.now(), self.name, what, ""))

    async def buried(self) -> None:
        """Returns when nothing of it is left."""
        while self.tasks:
            for task in list(self.tasks):
                task.cancel()
            await asyncio.sleep(0)


async def _nothing_to_close() -> None:
    """The stores outlive the process."""


@cache
def _busy_services() -> tuple[Declare, ...]:
    """Those that do more than answer requests. (Visitors ask the verbs behind the routes: declaring routes takes longer
    than a story.)"""
    nowhere = not_connected(Settings())
    return tuple(
        service for service in SERVICES if any(not isinstance(one.trigger, HttpRoutes) for one in service(nowhere))
    )


def remember_tasks(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> "asyncio.Task[Any]":
    """The loop's task factory: each task is known to the process that started it."""
    task = asyncio.Task(work, loop=loop, **options)
    context: Context | None = options.get("context")
    process = _PROCESS.get() if context is None else context.get(_PROCESS)
    if process is not None:
        process.tasks[task] = None
        task.add_done_callback(process.tasks.pop)
    return task


def _for_a_workspace(function: Function) -> Function:
    """While it handles a message, it works for the workspace that the message names."""
    trigger = function.trigger
    if not isinstance(trigger, QueueTrigger):
        return function
    return replace(function, trigger=replace(trigger, handle=_guarded(trigger.handle)))


def _named(message: Message) -> str | None:
    match msgspec.json.decode(unpacked(message.body)):
        case {"workspace": str(workspace)}:
            return workspace
        case {"token": str(text)} if (token := read_token(text)) is not None:
            return token.workspace
        case _:
            return None


def _guarded(handle: QueueHandler) -> QueueHandler:
    async def guarded(message: Message) -> None:
        WORKSPACE.set(_named(message))
        await handle(message)

    return guarded
