"""The one place where LinkFlow is wired to the outside: settings in, a `World` of ports out.

Two families of adapters: `sqlite` (one file, no other process) and `aws`. Neither is imported unless it is chosen.
`not_connected` gives a world with the same shape whose ports refuse to be used: declaring functions needs no more.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NoReturn, cast

from linkflow.adapters.clock import SystemClock
from linkflow.adapters.ids import SystemIds
from linkflow.errors import Broken, Fault, Invalid
from linkflow.messages import QUEUES
from linkflow.ports import Blobs, Clock, Http, Ids, KeyRing, Queue, Table
from linkflow.runtime.settings import Settings


async def _nothing() -> None:
    """A world made by hand has nothing to close."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside the process, as ports. Made once per process, within its event loop."""

    table: Table
    queue: Queue
    blobs: Blobs
    keyring: KeyRing
    clock: Clock
    ids: Ids
    http: Http
    settings: Settings
    close: Callable[[], Awaitable[None]] = _nothing
    """Finishes what is under way (a commit, open connections) and lets go of it."""


Connect = Callable[[Settings], Awaitable[World]]


async def connect(settings: Settings, clock: Clock | None = None) -> World:
    """The world the settings speak of, ready for use in this event loop; `clock` replaces the machine's."""
    clock = clock or SystemClock()
    if settings.family == "sqlite":
        return _sqlite(settings, clock)
    raise Invalid("The environment", [Fault("LINKFLOW_FAMILY", "unavailable", "Only 'sqlite' can be chosen.")])


def _sqlite(settings: Settings, clock: Clock) -> World:
    from linkflow.adapters.sqlite.blobs import SqliteBlobs  # noqa: PLC0415 (only the chosen family is loaded)
    from linkflow.adapters.sqlite.keyring import FileKeyRing  # noqa: PLC0415 (same)
    from linkflow.adapters.sqlite.queue import SqliteQueue  # noqa: PLC0415 (same)
    from linkflow.adapters.sqlite.store import Store  # noqa: PLC0415 (same)
    from linkflow.adapters.sqlite.table import SqliteTable  # noqa: PLC0415 (same)

    store = Store.open(settings.data)
    queue = SqliteQueue(store, clock, QUEUES)

    async def close() -> None:
        await queue.close()
        await store.close()

    return World(
        table=SqliteTable(store, queue),
        queue=queue,
        blobs=SqliteBlobs(store),
        keyring=FileKeyRing.open_file(settings.data),
        clock=clock,
        ids=SystemIds(clock),
        http=not_connected(settings).http,
        settings=settings,
        close=close,
    )


class _NotConnected:
    """Stands where a port will be. It can be handed on and kept, which is all that declaring needs."""

    def __getattr__(self, name: str) -> NoReturn:
        raise Broken(f"'{name}' was used while functions were being declared; nothing is connected yet.")


def not_connected(settings: Settings) -> World:
    """A world for declaring functions: any use of a port raises `Broken`."""
    nothing = cast("Any", _NotConnected())
    return World(nothing, nothing, nothing, nothing, nothing, nothing, nothing, settings)
