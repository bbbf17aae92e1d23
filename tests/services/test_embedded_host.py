"""The embedded host: how it fetches messages, ticks, stops, and ends with its process."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from linkflow.adapters.clock import VirtualClock
from linkflow.ports import Message, Send
from linkflow.runtime.functions import Function, HttpRoutes, Schedule
from linkflow.runtime.hosts.embedded import Embedded, serve
from linkflow.runtime.routes import Routes
from tests.services.diary import Diary, Shelf, at_rest, keeping, world_of


@contextlib.contextmanager
def patient(diary: Diary) -> Iterator[asyncio.Event]:
    diary.door = asyncio.Event()
    yield diary.door


async def test_many_messages_are_handled_at_once_but_no_more_than_allowed(diary: Diary) -> None:
    shelf = Shelf(VirtualClock())
    await shelf.send([Send("plain", f"{n}".encode()) for n in range(50)])
    world = world_of(shelf)
    with patient(diary) as door:
        async with Embedded(world, keeping(diary, concurrency=20)(world)):
            await at_rest()
            assert diary.at_once == 20
            door.set()
            await at_rest()
    assert diary.most_at_once == 20
    assert await shelf.depth("plain") == 0
    assert sorted(map(int, (entry for entry in diary.entries if "tick" not in entry))) == list(range(50))


async def test_what_finishes_together_is_deleted_together(diary: Diary) -> None:
    shelf = Shelf(VirtualClock())
    await shelf.send([Send("plain", f"{n}".encode()) for n in range(50)])
    world = world_of(shelf)
    async with Embedded(world, keeping(diary)(world)):
        await at_rest()
    assert await shelf.depth("plain") == 0
    assert shelf.deletes <= 10


async def test_a_message_stays_ours_while_its_handler_runs(diary: Diary) -> None:
    shelf = Shelf(VirtualClock())
    await shelf.send([Send("plain", b"slow")])
    world = world_of(shelf)
    with patient(diary) as door:
        async with Embedded(world, keeping(diary)(world)):
            await at_rest()
            for _ in range(20):
                await shelf.clock.advance(10)
            assert diary.at_once == diary.most_at_once == 1
            door.set()
            await at_rest()
    assert diary.entries.count("slow") == 1


class Slow(Shelf):
    """One that takes a second to keep a message."""

    async def postpone(self, message: Message, seconds: float) -> None:
        await self.clock.sleep(1)
        await super().postpone(message, seconds)


async def test_a_hundred_messages_stay_ours_though_each_is_kept_slowly(diary: Diary) -> None:
    shelf = Slow(VirtualClock())
    await shelf.send([Send("plain", f"{n}".encode()) for n in range(100)])
    world = world_of(shelf)
    with patient(diary) as door:
        async with Embedded(world, keeping(diary)(world)):
            await at_rest()
            await shelf.clock.advance(90)
            assert diary.at_once == diary.most_at_once == 100
            door.set()
            await at_rest()
    assert sorted(map(int, (entry for entry in diary.entries if "tick" not in entry))) == list(range(100))


@dataclass
class Frozen(Shelf):
    """One whose caller stands still before it keeps a message, until somebody opens the door."""

    door: asyncio.Event = field(default_factory=asyncio.Event)

    async def postpone(self, message: Message, seconds: float) -> None:
        await self.door.wait()
        await super().postpone(message, seconds)


async def test_who_stood_still_gives_up_what_others_have_by_now(diary: Diary) -> None:
    """What went on in a process that had been frozen met what another had done meanwhile, and went on behind it."""
    shelf = Frozen(VirtualClock())
    await shelf.send([Send("plain", b"slow")])
    world = world_of(shelf)
    with patient(diary) as finishes:
        async with Embedded(world, keeping(diary)(world)):
            await at_rest()
            await shelf.clock.advance(40)
            assert diary.at_once == 2, "its message came again"
            shelf.door.set()
            await at_rest()
            finishes.set()
            await at_rest()
    assert diary.entries.count("slow") == 1
    assert await shelf.depth("plain") == 0


async def test_a_failing_message_comes_again_after_growing_pauses(diary: Diary) -> None:
    shelf = Shelf(VirtualClock())
    await shelf.send([Send("plain", b"bad")])
    world = world_of(shelf)
    async with Embedded(world, keeping(diary)(world)):
        await at_rest()
        await shelf.clock.advance(20)
    assert [pause for _, pause in shelf.postponed[:4]] == [1, 2, 4, 8]


async def test_a_schedule_ticks_at_the_start_and_at_every_full_period(diary: Diary) -> None:
    shelf = Shelf(VirtualClock(start=1_750_000_000))
    world = world_of(shelf)
    async with Embedded(world, [one for one in keeping(diary)(world) if isinstance(one.trigger, Schedule)]):
        await at_rest()
        await shelf.clock.advance(2 * 3600)
    to_the_hour = 3600 - 1_750_000_000 % 3600
    assert diary.entries == ["tick 0", f"tick {to_the_hour}", f"tick {to_the_hour + 3600}"]


async def test_stopping_lets_running_handlers_finish_and_closes_the_world_last(diary: Diary) -> None:
    shelf = Shelf(VirtualClock())
    await shelf.send([Send("plain", b"slow")])
    world = world_of(shelf, closed=lambda: diary.entries.append("closed"))
    with patient(diary) as door:
        embedded = Embedded(world, keeping(diary)(world))
        embedded.start()
        await at_rest()
        stopping = asyncio.create_task(embedded.stop())
        await at_rest()
        assert not stopping.done()
        door.set()
        await stopping
    assert diary.entries[-2:] == ["slow", "closed"]
    assert await shelf.depth("plain") == 0


async def test_what_cannot_finish_in_time_comes_again_at_once(diary: Diary) -> None:
    shelf = Shelf(VirtualClock())
    await shelf.send([Send("plain", b"endless")])
    world = world_of(shelf)
    with patient(diary):
        embedded = Embedded(world, keeping(diary)(world))
        embedded.start()
        await at_rest()
        await embedded.stop(grace=0)
    assert await shelf.depth("plain") == 1
    assert shelf.postponed[-1] == ("endless", 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_server_after_its_open_requests(diary: Diary, number: int) -> None:
    asked, release = asyncio.Event(), asyncio.Event()
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    world = world_of(Shelf(VirtualClock()), closed=lambda: diary.entries.append("closed"))
    routes = Routes()

    @routes.get("/slow")
    async def slow() -> dict[str, str]:
        asked.set()
        await release.wait()
        diary.entries.append("answered")
        return {"slow": "yes"}

    functions = [Function("slow", "diary", HttpRoutes(routes))]
    serving = asyncio.create_task(serve(world, functions, "127.0.0.1", 0, address.set_result))
    async with httpx.AsyncClient(base_url=await address) as client:
        answer = asyncio.create_task(client.get("/slow"))
        await asked.wait()
        os.kill(os.getpid(), number)
        await at_rest()
        release.set()
        assert (await answer).json() == {"slow": "yes"}
    await serving
    assert diary.entries == ["answered", "closed"]


async def test_a_request_that_does_not_end_in_time_is_told_to_come_again(
    diary: Diary, caplog: pytest.LogCaptureFixture
) -> None:
    asked = asyncio.Event()
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    world = world_of(Shelf(VirtualClock()))
    routes = Routes()

    @routes.get("/endless")
    async def endless() -> None:
        asked.set()
        await asyncio.Event().wait()

    functions = [Function("endless", "diary", HttpRoutes(routes))]
    serving = asyncio.create_task(serve(world, functions, "127.0.0.1", 0, address.set_result, grace=0))
    async with httpx.AsyncClient(base_url=await address) as client:
        answer = asyncio.create_task(client.get("/endless"))
        await asked.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        told = await answer
    await serving
    assert (told.status_code, told.json()["error"]["code"]) == (503, "stopping")
    assert not [line for line in caplog.records if line.exc_info]


def test_a_process_that_is_told_to_stop_exits_with_zero() -> None:
    program = textwrap.dedent("""
        from linkflow.adapters.clock import SystemClock
        from linkflow.runtime.hosts.embedded import run
        from linkflow.runtime.settings import Settings
        from linkflow.runtime.wiring import in_memory

        async def connect(settings):
            return in_memory(settings, SystemClock())

        run(Settings(port=0), lambda world: [], connect, lambda url: print(url, flush=True))
    """)
    environment: dict[str, Any] = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}  # noqa: TID251 (a child's)
    with subprocess.Popen(  # noqa: S603 (our own interpreter and program)
        [sys.executable, "-c", program],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        assert httpx.get(f"{url}/nothing").status_code == 404
        process.terminate()
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")
