"""The embedded family, as a file (two connections, shared commits) and in memory (one connection, at once)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from linkflow.adapters.clock import VirtualClock
from linkflow.adapters.sqlite.blobs import SqliteBlobs
from linkflow.adapters.sqlite.catalogue import SqliteCatalogue
from linkflow.adapters.sqlite.keyring import FileKeyRing
from linkflow.adapters.sqlite.queue import SqliteQueue
from linkflow.adapters.sqlite.store import Store
from linkflow.adapters.sqlite.table import SqliteTable
from tests.contract.family import QUEUES, Family


@asynccontextmanager
async def _over(store: Store, clock: VirtualClock, directory: Path) -> AsyncIterator[Family]:
    queue = SqliteQueue(store, clock, QUEUES)
    keyring = FileKeyRing.open_file(directory)
    table, catalogue = SqliteTable(store, queue), SqliteCatalogue(store)
    yield Family(table, queue, SqliteBlobs(store), keyring, clock.advance, catalogue, fair=True)
    await queue.close()
    await store.close()


@asynccontextmanager
async def in_a_file(clock: VirtualClock, directory: Path) -> AsyncIterator[Family]:
    async with _over(Store.open(directory, commit_beside=False), clock, directory) as family:
        yield family


@asynccontextmanager
async def on_a_slow_disk(clock: VirtualClock, directory: Path) -> AsyncIterator[Family]:
    async with _over(Store.open(directory, commit_beside=True), clock, directory) as family:
        yield family


@asynccontextmanager
async def in_memory(clock: VirtualClock, directory: Path) -> AsyncIterator[Family]:
    async with _over(Store.open(None), clock, directory) as family:
        yield family
