"""A process to be killed: puts items and sends messages for ever, and prints the name of each acknowledged one."""

import asyncio
import sys
from pathlib import Path

from linkflow.adapters.clock import SystemClock
from linkflow.adapters.sqlite.queue import SqliteQueue
from linkflow.adapters.sqlite.store import Store
from linkflow.adapters.sqlite.table import SqliteTable
from linkflow.ports import Absent, Item, Key, Send
from tests.contract.family import LINE, QUEUES

WRITERS = 20


async def write_for_ever(directory: Path, name: str, *, commit_beside: bool) -> None:
    store = Store.open(directory, commit_beside=commit_beside)
    table = SqliteTable(store, SqliteQueue(store, SystemClock(), QUEUES))

    async def write(writer: int) -> None:
        number = 0
        while True:
            sk = f"{name}-{writer}-{number}"
            lost = await table.put(Item(Key("log", sk), b"b" * 500), Absent(), [Send(LINE.name, sk.encode(), group=sk)])
            if lost is None:
                sys.stdout.write(sk + "\n")
                sys.stdout.flush()
            number += 1

    await asyncio.gather(*(write(writer) for writer in range(WRITERS)))


if __name__ == "__main__":
    asyncio.run(write_for_ever(Path(sys.argv[1]), sys.argv[2], commit_beside=sys.argv[3] == "beside"))
