"""What a function is, on any platform: a name, a trigger, a handler, and how much it may use. Hosts bind these.

A service offers `def functions(world: World) -> Sequence[Function]` in its `handler.py`. The call declares and does
nothing else: a host may make it with a world that is not connected (to learn the triggers, for packaging), and again
with one that is. Handlers are coroutines and see neutral things only, so that the same handler runs on every host:

    http      typed handlers on `Routes` (runtime/routes), validated and documented from their signatures
    queue     async def handle(message: Message) -> None      raising means: this message failed, let it come again
    schedule  async def tick(now: float) -> None              must bear being called twice, and by two hosts at once

Delivery is at least once everywhere. A failed message comes again after a growing pause (`redelivery_pause`), until
the queue's `max_receives` sends it to the dead letters; messages of one FIFO group are handled one after another.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from linkflow.ports import Message, QueueSpec
from linkflow.runtime.routes import Routes
from linkflow.runtime.wiring import World

QueueHandler = Callable[[Message], Awaitable[None]]
Tick = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class HttpRoutes:
    """Answers requests."""

    routes: Routes


@dataclass(frozen=True, slots=True)
class QueueTrigger:
    """Handles what stands in `queue`, `concurrency` messages at a time in one process. `batch` is how many one Lambda
    invocation may be given."""

    queue: QueueSpec
    handle: QueueHandler
    batch: int = 10
    concurrency: int = 100


@dataclass(frozen=True, slots=True)
class Schedule:
    """Ticks every `every` seconds; a multiple of 60, since no cloud's schedule is finer. The handler is given the
    moment it is called at."""

    every: int
    tick: Tick

    def __post_init__(self) -> None:
        if self.every <= 0 or self.every % 60:
            raise ValueError(f"A schedule ticks in whole minutes, not every {self.every} s.")


Trigger = HttpRoutes | QueueTrigger | Schedule


@dataclass(frozen=True, slots=True)
class Function:
    """One deployable unit: `name` is unique among all services, `memory` is in MiB, `timeout` in seconds."""

    name: str
    service: str
    trigger: Trigger
    memory: int = 512
    timeout: int = 60


Declare = Callable[[World], Sequence[Function]]


def together(*services: Declare) -> Declare:
    """The functions of several services as those of one. Raises `ValueError` for a name that is used twice."""

    def functions(world: World) -> Sequence[Function]:
        declared = [function for service in services for function in service(world)]
        names = [function.name for function in declared]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"Two functions have the same name: {', '.join(sorted(twice))}.")
        return declared

    return functions


def redelivery_pause(receives: int) -> float:
    """Seconds before a message that failed `receives` times comes again: 1, 2, 4, … at most 300."""
    return float(min(300, 2 ** min(max(receives, 1) - 1, 16)))


def in_order(messages: Sequence[Message]) -> list[list[Message]]:
    """The messages of one delivery as lines that may be handled at the same time: each FIFO group is one line, in the
    order of arrival; a message without group is a line of its own."""
    lines: dict[str, list[Message]] = {}
    for message in messages:
        lines.setdefault(f"group {message.group}" if message.group else f"message {message.receipt}", []).append(
            message
        )
    return list(lines.values())
