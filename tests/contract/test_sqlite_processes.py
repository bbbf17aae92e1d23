"""Several processes on one file, and processes that are killed: what was acknowledged is there."""

import asyncio
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from linkflow.adapters.clock import VirtualClock
from linkflow.adapters.sqlite.queue import SqliteQueue
from linkflow.adapters.sqlite.store import Store
from linkflow.adapters.sqlite.table import SqliteTable
from linkflow.ports import Key
from tests.contract.family import LINE, QUEUES


async def started(directory: Path, name: str, mode: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.contract.writing_process", str(directory), name, mode),
        stdout=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
    )


async def killed_after(process: asyncio.subprocess.Process, acknowledged: int) -> list[str]:
    """What the process had acknowledged when it was killed in the middle of its work."""
    assert process.stdout is not None
    lines = [await process.stdout.readline() for _ in range(acknowledged)]
    process.kill()
    rest = (await process.stdout.read()).splitlines(keepends=True)
    await process.wait()
    return [line.decode().strip() for line in (*lines, *rest) if line.endswith(b"\n")]


async def everything_received(queue: SqliteQueue) -> list[str]:
    found: list[str] = []
    while messages := await queue.receive(LINE.name, limit=500):
        found += [message.body.decode() for message in messages]
        await queue.delete(messages)
    return found


@pytest.mark.parametrize("mode", ["here", "beside"])
async def test_two_processes_write_one_file_and_kill_9_loses_nothing_acknowledged(tmp_path: Path, mode: str) -> None:
    processes = await asyncio.gather(started(tmp_path, "a", mode), started(tmp_path, "b", mode))
    acknowledged = await asyncio.gather(*(killed_after(process, 150) for process in processes))
    written = [sk for process in acknowledged for sk in process]
    assert len(written) >= 300

    store = Store.open(tmp_path)
    assert store.read("PRAGMA integrity_check") == [("ok",)]
    queue = SqliteQueue(store, VirtualClock(4_000_000_000), QUEUES)
    table = SqliteTable(store, queue)
    assert [sk for sk in written if await table.get(Key("log", sk)) is None] == []
    received = await everything_received(queue)
    assert set(written) <= set(received)
    assert len(received) == len(set(received))
    assert [sk for sk in received if await table.get(Key("log", sk)) is None] == []
    await store.close()


def test_many_may_open_a_new_directory_at_the_same_moment(tmp_path: Path) -> None:
    openers, rounds = 6, 40
    together = threading.Barrier(openers)

    def opens(directory: Path) -> list[tuple[object, ...]]:
        together.wait()
        store = Store.open(directory, commit_beside=False)
        mode = store.read("PRAGMA journal_mode")
        asyncio.run(store.close())
        return mode

    with ThreadPoolExecutor(openers) as threads:
        for number in range(rounds):
            directory = tmp_path / str(number)
            assert list(threads.map(opens, [directory] * openers)) == [[("wal",)]] * openers
            assert [file.name for file in directory.iterdir() if "draft" in file.name] == []
