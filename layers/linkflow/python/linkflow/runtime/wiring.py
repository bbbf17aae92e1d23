"""The one place where LinkFlow is wired to the outside: settings in, a `World` of ports out.

Two families of adapters: `sqlite` (one file, no other process) and `aws`. Neither is imported unless it is chosen.
`not_connected` gives a world with the same shape whose ports refuse to be used: declaring functions needs no more.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, cast

from pydantic import SecretStr

from linkflow.adapters.clock import SystemClock
from linkflow.adapters.http import GuardedHttp
from linkflow.adapters.ids import SystemIds
from linkflow.engine.engine import Engine, Integrations, Limits, Platform, build
from linkflow.engine.integrations import INTEGRATIONS
from linkflow.errors import Broken
from linkflow.messages import QUEUES
from linkflow.nodes.base import BaseNode
from linkflow.nodes.catalog import NODES
from linkflow.ports import Blobs, Clock, Http, Ids, KeyRing, Queue, Table
from linkflow.runtime.machines import shipped
from linkflow.runtime.settings import Settings
from linkflow.runtime.signature import signed
from linkflow.search import Catalogue

if TYPE_CHECKING:
    from linkflow.adapters.sqlite.store import Store


async def _nothing() -> None:
    """A world made by hand has nothing to close."""


async def _nothing_to_tidy(_: float) -> None:
    """AWS drops expired items and deduplication ids without being asked."""


Tidy = Callable[[float], Awaitable[None]]


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
    engine: Engine
    """The engine's verbs stand on this; one per world, since those who wait in this process share it."""
    close: Callable[[], Awaitable[None]] = _nothing
    """Finishes what is under way (a commit, open connections) and lets go of it."""
    tidy: Tidy = _nothing_to_tidy
    """Removes what has expired by a moment, where the store does not do so by itself. The timer asks for it."""

    @property
    def secret(self) -> str:
        """Signs calls into `/engine/v1` and callbacks out. Empty: there is none, and both must be refused."""
        return self.settings.secret.get_secret_value()


Connect = Callable[[Settings], Awaitable[World]]


async def connect(settings: Settings, clock: Clock | None = None) -> World:
    """The world the settings speak of, ready for use in this event loop; `clock` replaces the machine's."""
    clock = clock or SystemClock()
    if settings.family == "sqlite":
        return _sqlite(settings, clock)
    return await _aws(settings, clock)


def _sqlite(settings: Settings, clock: Clock) -> World:
    from linkflow.adapters.sqlite.keyring import FileKeyRing  # noqa: PLC0415 (only the chosen family is loaded)
    from linkflow.adapters.sqlite.secret import kept_secret  # noqa: PLC0415 (same)
    from linkflow.adapters.sqlite.store import Store  # noqa: PLC0415 (same)

    store, ring = Store.open(settings.data), FileKeyRing.open_file(settings.data)
    if not settings.secret.get_secret_value():
        settings = settings.model_copy(update={"secret": SecretStr(kept_secret(settings.data, SystemIds(clock)))})
    return _over(store, ring, settings, clock, INTEGRATIONS)


def in_memory(settings: Settings, clock: Clock, integrations: Integrations = INTEGRATIONS) -> World:
    """A world that is gone with the process."""
    from linkflow.adapters.sqlite.keyring import FileKeyRing  # noqa: PLC0415 (only the chosen family is loaded)
    from linkflow.adapters.sqlite.store import Store  # noqa: PLC0415 (same)

    return _over(Store.open(None), FileKeyRing.passing(), settings, clock, integrations)


def _over(store: "Store", keyring: KeyRing, settings: Settings, clock: Clock, integrations: Integrations) -> World:
    from linkflow.adapters.sqlite.blobs import SqliteBlobs  # noqa: PLC0415 (only the chosen family is loaded)
    from linkflow.adapters.sqlite.catalogue import SqliteCatalogue  # noqa: PLC0415 (same)
    from linkflow.adapters.sqlite.queue import SqliteQueue  # noqa: PLC0415 (same)
    from linkflow.adapters.sqlite.table import SqliteTable  # noqa: PLC0415 (same)

    queue = SqliteQueue(store, clock, QUEUES)
    table = SqliteTable(store, queue)

    async def close() -> None:
        await queue.close()
        await store.close()

    async def tidy(now: float) -> None:
        await table.sweep(now)
        await queue.sweep(now)

    blobs = SqliteBlobs(store)
    catalogue = SqliteCatalogue(store)
    return assemble(table, queue, blobs, keyring, clock, settings, close, NODES, tidy, integrations, catalogue)


async def _aws(settings: Settings, clock: Clock) -> World:
    """On an emulator (`endpoint_url`) what is missing is made first."""
    from linkflow.adapters.aws.dynamodb import DynamoTable  # noqa: PLC0415 (only the chosen family is loaded)
    from linkflow.adapters.aws.kms import KmsKeyRing  # noqa: PLC0415 (same)
    from linkflow.adapters.aws.s3 import S3Blobs  # noqa: PLC0415 (same)
    from linkflow.adapters.aws.session import AwsSession, Place  # noqa: PLC0415 (same)
    from linkflow.adapters.aws.sqs import SqsQueue  # noqa: PLC0415 (same)
    from linkflow.adapters.joined import JoinedQueue  # noqa: PLC0415 (same)

    place = Place(settings.region, settings.endpoint_url)
    session = AwsSession(place)
    table, bucket = settings.table or settings.names, settings.bucket or settings.names
    key = settings.kms_key or f"alias/{settings.names}"
    if settings.endpoint_url is not None:
        from linkflow.adapters.aws.resources import make  # noqa: PLC0415 (same)

        await make(session, place, table, settings.names, QUEUES, bucket, key)
    queue = JoinedQueue(SqsQueue(session, settings.names, QUEUES))

    async def close() -> None:
        session.close()

    return assemble(
        DynamoTable(session, table, queue),
        queue,
        S3Blobs(session, bucket),
        KmsKeyRing(session, key, clock),
        clock,
        settings,
        close,
    )


def assemble(
    table: Table,
    queue: Queue,
    blobs: Blobs,
    keyring: KeyRing,
    clock: Clock,
    settings: Settings,
    close: Callable[[], Awaitable[None]],
    nodes: Mapping[str, type[BaseNode]] = NODES,
    tidy: Tidy = _nothing_to_tidy,
    integrations: Integrations = INTEGRATIONS,
    catalogue: Catalogue | None = None,
    names: Ids | None = None,
    http: Http | None = None,
) -> World:
    """A world over one family's ports, with the engine on it. Names and the way out are the system's unless given."""
    names = names or SystemIds(clock)
    guarded = GuardedHttp(allow=settings.allow_hosts) if http is None else None
    out = http or guarded
    assert out is not None  # noqa: S101 (one of both)
    limits = Limits(visit=None if settings.resident else settings.visit_seconds)
    platform = Platform(shipped, keyring, signed, settings.secret.get_secret_value())
    address = settings.address
    engine = build(table, queue, blobs, clock, names, out, nodes, integrations, limits, platform, catalogue, address)

    async def close_all() -> None:
        if guarded is not None:
            await guarded.close()
        await close()

    return World(table, queue, blobs, keyring, clock, names, out, settings, engine, close_all, tidy)


class _NotConnected:
    """Stands where a port will be. It can be handed on and kept, which is all that declaring needs."""

    def __getattr__(self, name: str) -> NoReturn:
        raise Broken(f"'{name}' was used while functions were being declared; nothing is connected yet.")


def not_connected(settings: Settings) -> World:
    """A world for declaring functions: any use of a port raises `Broken`."""
    nothing = cast("Any", _NotConnected())
    return World(nothing, nothing, nothing, nothing, nothing, nothing, nothing, settings, nothing)
