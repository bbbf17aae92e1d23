"""What only the embedded family promises: one file that several stores share, shared commits, an idle queue at rest."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from linkflow.adapters.clock import VirtualClock
from linkflow.adapters.sqlite.queue import SqliteQueue
from linkflow.adapters.sqlite.schema import VERSION
from linkflow.adapters.sqlite.store import FILE, Store
from linkflow.adapters.sqlite.table import SqliteTable
from linkflow.adapters.sqlite.waiting import WaitingRoom
from linkflow.errors import Broken, Unreachable
from linkflow.ports import Absent, Item, Key, Send, Unchanged
from tests.contract.family import LINE, PLAIN, QUEUES, VISIBILITY

KEY = Key("shelf", "a")


class Opened:
    """One process's view of the file."""

    def __init__(self, directory: Path | None, clock: VirtualClock, *, commit_beside: bool = False) -> None:
        self.store = Store.open(directory, commit_beside=commit_beside)
        self.queue = SqliteQueue(self.store, clock, QUEUES)
        self.table = SqliteTable(self.store, self.queue)


@asynccontextmanager
async def opened(directory: Path | None, clock: VirtualClock, *, commit_beside: bool = False) -> AsyncIterator[Opened]:
    view = Opened(directory, clock, commit_beside=commit_beside)
    yield view
    await view.queue.close()
    await view.store.close()


def numbered(prefix: str, count: int) -> list[Item]:
    return [Item(Key("shelf", f"{prefix}{number}"), b"body") for number in range(count)]


async def test_everything_is_there_when_the_file_is_opened_again(tmp_path: Path, clock: VirtualClock) -> None:
    async with opened(tmp_path, clock) as before:
        await before.table.put(Item(KEY, b"body"), sends=[Send(PLAIN.name, b"task")])
    async with opened(tmp_path, clock) as after:
        assert await after.table.get(KEY) == Item(KEY, b"body")
        (message,) = await after.queue.receive(PLAIN.name)
        assert message.body == b"task"


async def test_a_message_number_is_never_used_twice(tmp_path: Path, clock: VirtualClock) -> None:
    numbers = set()
    for _ in range(3):
        async with opened(tmp_path, clock) as view:
            await view.queue.send([Send(PLAIN.name, b"task")])
            held = await view.queue.receive(PLAIN.name)
            await view.queue.delete(held)
            numbers.add(held[0].id)
    assert len(numbers) == 3


async def test_closing_finishes_what_was_begun(tmp_path: Path, clock: VirtualClock) -> None:
    async with opened(tmp_path, clock, commit_beside=True) as view:
        begun = [asyncio.create_task(view.table.put(item)) for item in numbered("n", 50)]
        await asyncio.sleep(0)
    await asyncio.gather(*begun)
    async with opened(tmp_path, clock) as view:
        assert [await view.table.get(item.key) for item in numbered("n", 50)] == numbered("n", 50)


async def test_two_stores_on_one_file_see_each_others_writes(tmp_path: Path, clock: VirtualClock) -> None:
    async with opened(tmp_path, clock) as one, opened(tmp_path, clock) as other:
        assert await one.table.put(Item(KEY, b"one"), Absent()) is None
        assert await other.table.put(Item(KEY, b"other"), Absent()) == Item(KEY, b"one")
        assert await other.table.put(Item(KEY, b"two", version=2), Unchanged(1)) is None
        assert await one.table.get(KEY) == Item(KEY, b"two", version=2)


async def test_two_stores_on_one_file_write_at_once_and_every_race_has_one_winner(
    tmp_path: Path, clock: VirtualClock
) -> None:
    async with (
        opened(tmp_path, clock) as one,
        opened(tmp_path, clock, commit_beside=True) as other,
    ):
        items = numbered("n", 100)
        answers = await asyncio.gather(
            *(one.table.put(item, Absent()) for item in items), *(other.table.put(item, Absent()) for item in items)
        )
        assert answers.count(None) == 100
        assert all((answers[place] is None) != (answers[place + 100] is None) for place in range(100))


async def test_two_stores_on_one_file_never_hold_the_same_message(tmp_path: Path, clock: VirtualClock) -> None:
    async with opened(tmp_path, clock) as one, opened(tmp_path, clock) as other:
        await one.queue.send([Send(PLAIN.name, str(number).encode()) for number in range(40)])
        await one.queue.send([Send(LINE.name, b"n", group=f"{number % 8}") for number in range(40)])
        receivers = [view.queue.receive(name) for view in (one, other) for name in (PLAIN.name, LINE.name) * 2]
        batches = await asyncio.gather(*receivers)
        held = [message.id for batch in batches for message in batch]
        assert len(held) == len(set(held)) == 80


async def test_a_waiting_receiver_notices_what_another_process_sends(tmp_path: Path, clock: VirtualClock) -> None:
    async with opened(tmp_path, clock) as one, opened(tmp_path, clock) as other:
        waiting = asyncio.create_task(other.queue.receive(PLAIN.name, wait=20))
        await clock.advance(5)
        await one.queue.send([Send(PLAIN.name, b"task")])
        assert not waiting.done()
        await clock.advance(0.2)
        assert [message.body for message in await waiting] == [b"task"]


async def test_a_write_waits_while_another_process_holds_the_file(tmp_path: Path, clock: VirtualClock) -> None:
    async with opened(tmp_path, clock) as view:
        with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            put = asyncio.create_task(view.table.put(Item(KEY, b"body")))
            await asyncio.wait([put], timeout=0.02)
            assert not put.done()
            assert await view.table.get(KEY) is None
            holder.execute("COMMIT")
        assert await put is None


async def test_a_receive_that_finds_nothing_writes_nothing(tmp_path: Path, clock: VirtualClock) -> None:
    async with opened(tmp_path, clock) as view:
        await view.queue.send([Send(PLAIN.name, b"later", delay=900)])
        with closing(sqlite3.connect(tmp_path / FILE)) as witness:
            before = witness.execute("PRAGMA data_version").fetchone()
            waiting = asyncio.create_task(view.queue.receive(PLAIN.name, wait=60))
            await clock.advance(61)
            assert not await waiting
            assert not await view.queue.receive(LINE.name)
            assert witness.execute("PRAGMA data_version").fetchone() == before


@pytest.mark.parametrize("commit_beside", [False, True])
async def test_a_write_that_breaks_fails_alone(tmp_path: Path, clock: VirtualClock, commit_beside: bool) -> None:
    no_utf_8 = Key("shelf", "\ud800")
    async with opened(tmp_path, clock, commit_beside=commit_beside) as view:
        answers = await asyncio.gather(
            view.table.put(Item(KEY, b"body")),
            view.table.put(Item(no_utf_8, b"body")),
            view.table.put(Item(Key("shelf", "b"), b"body"), sends=[Send(LINE.name, b"n", group="\ud800")]),
            view.queue.send([Send(PLAIN.name, b"task")]),
            return_exceptions=True,
        )
        assert [type(answer) for answer in answers] == [type(None), UnicodeEncodeError, UnicodeEncodeError, type(None)]
        assert await view.table.get(KEY) == Item(KEY, b"body")
        assert await view.table.get(Key("shelf", "b")) is None
        assert await view.queue.depth(PLAIN.name) == 1


@pytest.mark.parametrize("commit_beside", [False, True])
async def test_on_a_full_disk_writes_fail_whole_and_go_on_when_there_is_room(
    tmp_path: Path, clock: VirtualClock, commit_beside: bool
) -> None:
    large = Item(KEY, b"x" * 2_000_000)
    async with opened(tmp_path, clock, commit_beside=commit_beside) as view:
        view.store.cursor.execute("PRAGMA max_page_count = 100")
        with pytest.raises(Unreachable):
            await view.table.put(large, sends=[Send(PLAIN.name, b"task")])
        assert await view.table.get(KEY) is None
        view.store.cursor.execute("PRAGMA max_page_count = 100000")
        assert await view.table.put(large) is None
        assert await view.queue.depth(PLAIN.name) == 0


async def test_a_file_of_a_newer_release_is_refused_and_left_alone(tmp_path: Path, clock: VirtualClock) -> None:
    async with opened(tmp_path, clock):
        pass
    with closing(sqlite3.connect(tmp_path / FILE)) as newer:
        newer.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(Broken, match="newer release"):
        Store.open(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE)) as untouched:
        assert untouched.execute("PRAGMA user_version").fetchone() == (VERSION + 1,)


async def test_every_commit_is_on_the_disk_before_it_is_acknowledged(tmp_path: Path, clock: VirtualClock) -> None:
    async with opened(tmp_path, clock) as view:
        assert view.store.cursor.execute("PRAGMA synchronous").fetchone() == (2,)
        assert view.store.cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_a_sweep_removes_what_has_expired_and_nothing_else(clock: VirtualClock) -> None:
    async with opened(None, clock) as view:
        for number in range(600):
            await view.table.put(Item(Key("old", f"{number}"), b"", expires_at=clock.now()))
        kept = [Item(Key("new", "later"), b"", expires_at=clock.now() + 1), Item(Key("new", "never"), b"")]
        for item in kept:
            await view.table.put(item)
        assert await view.table.sweep(clock.now()) == 600
        assert await view.table.sweep(clock.now()) == 0
        assert [await view.table.get(item.key) for item in kept] == kept


async def test_a_sweep_of_the_queue_forgets_only_deduplication_ids_that_have_run_out(clock: VirtualClock) -> None:
    async with opened(None, clock) as view:
        await view.queue.send([Send(LINE.name, b"1", group="g", deduplication="old")])
        await clock.advance(200)
        await view.queue.send([Send(LINE.name, b"2", group="g", deduplication="young")])
        await clock.advance(101)
        assert await view.queue.sweep(clock.now()) == 1
        await view.queue.send([Send(LINE.name, b"again", group="g", deduplication="young")])
        assert await view.queue.depth(LINE.name) == 2


async def test_a_receiver_waits_as_long_as_it_was_told_and_no_longer(clock: VirtualClock) -> None:
    async with opened(None, clock) as view:
        waiting = asyncio.create_task(view.queue.receive(PLAIN.name, wait=20))
        await clock.advance(19.9)
        assert not waiting.done()
        await clock.advance(0.1)
        assert waiting.done()
        assert not waiting.result()


async def test_a_waiting_receiver_gets_a_message_the_moment_it_becomes_due(clock: VirtualClock) -> None:
    async with opened(None, clock) as view:
        await view.queue.send([Send(PLAIN.name, b"delayed", delay=10)])
        waiting = asyncio.create_task(view.queue.receive(PLAIN.name, wait=VISIBILITY * 2))
        await clock.advance(9.9)
        assert not waiting.done()
        await clock.advance(0.1)
        assert [message.body for message in waiting.result()] == [b"delayed"]
        again = asyncio.create_task(view.queue.receive(PLAIN.name, wait=VISIBILITY * 2))
        await clock.advance(VISIBILITY)
        assert [message.receives for message in again.result()] == [2]


async def test_a_waiting_receiver_gets_the_next_of_a_line_when_the_one_before_is_deleted(clock: VirtualClock) -> None:
    async with opened(None, clock) as view:
        await view.queue.send([Send(LINE.name, b"1", group="g"), Send(LINE.name, b"2", group="g")])
        held = await view.queue.receive(LINE.name, limit=1)
        waiting = asyncio.create_task(view.queue.receive(LINE.name, wait=20))
        await clock.advance(1)
        assert not waiting.done()
        await view.queue.delete(held)
        assert [message.body for message in await waiting] == [b"2"]


async def test_all_receivers_wait_for_what_is_sent_to_their_queue_and_one_gets_it(clock: VirtualClock) -> None:
    async with opened(None, clock) as view:
        waiting = [asyncio.create_task(view.queue.receive(PLAIN.name, wait=20)) for _ in range(4)]
        await clock.advance(1)
        await view.queue.send([Send(PLAIN.name, b"task")])
        await clock.advance(20)
        assert sorted(len(receiver.result()) for receiver in waiting) == [0, 0, 0, 1]


async def test_who_looked_before_a_call_does_not_wait_for_the_next(clock: VirtualClock) -> None:
    room = WaitingRoom(clock, None)
    looked = room.calls(PLAIN.name)
    room.call([PLAIN.name])
    late = asyncio.create_task(room.wait(PLAIN.name, looked, 20))
    await clock.advance(0)
    assert late.done()
    early = asyncio.create_task(room.wait(PLAIN.name, room.calls(PLAIN.name), 20))
    await clock.advance(0)
    assert not early.done()
    await clock.advance(20)
    assert early.done()


async def test_a_cancelled_receiver_loses_no_message(clock: VirtualClock) -> None:
    async with opened(None, clock) as view:
        waiting = asyncio.create_task(view.queue.receive(PLAIN.name, wait=20))
        await clock.advance(1)
        waiting.cancel()
        await asyncio.wait([waiting])
        await view.queue.send([Send(PLAIN.name, b"task")])
        assert len(await view.queue.receive(PLAIN.name)) == 1


@pytest.mark.parametrize(
    "send",
    [
        Send(LINE.name, b"no group"),
        Send(LINE.name, b"delayed in a line", group="g", delay=1),
        Send(PLAIN.name, b"group on a plain queue", group="g"),
        Send(PLAIN.name, b"delayed too long", delay=901),
        Send("nowhere", b"no such queue"),
    ],
    ids=lambda send: send.body.decode(),
)
async def test_what_sqs_would_refuse_is_refused_before_anything_is_written(clock: VirtualClock, send: Send) -> None:
    async with opened(None, clock) as view:
        with pytest.raises(Broken):
            await view.table.put(Item(KEY, b"body"), sends=[Send(PLAIN.name, b"fine"), send])
        with pytest.raises(Broken):
            await view.queue.send([Send(PLAIN.name, b"fine"), send])
        assert await view.table.get(KEY) is None
        assert await view.queue.depth(PLAIN.name) == 0
