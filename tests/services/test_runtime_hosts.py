"""One declaration, two hosts: the same request, the same messages, the same tick have the same effect on both.

The service is a diary: what it is told, it writes down. A message that says `bad` fails.
"""

import asyncio
import base64
import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx
import pytest

from linkflow.adapters.clock import VirtualClock
from linkflow.adapters.ids import SeededIds
from linkflow.errors import Broken, Throttled
from linkflow.ports import Message, QueueSpec, Send
from linkflow.runtime.functions import Declare, Function, HttpRoutes, QueueTrigger, Schedule, redelivery_pause
from linkflow.runtime.hosts.aws import bind
from linkflow.runtime.hosts.embedded import Embedded, serve
from linkflow.runtime.routes import Routes, Schema
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import World, not_connected

PLAIN = QueueSpec("plain", visibility=30)
LINE = QueueSpec("line", fifo=True, visibility=30)
SETTINGS = Settings()


class Entry(Schema):
    text: str


@dataclass
class Diary:
    entries: list[str] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    door: asyncio.Event | None = None

    async def write(self, message: Message) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        if self.door:
            await self.door.wait()
        self.at_once -= 1
        text = message.body.decode()
        if text == "bad":
            raise Throttled("The diary")
        if text == "worse":
            raise RuntimeError("no pen")
        self.entries.append(text)


def keeping(diary: Diary, concurrency: int = 100) -> Declare:
    def functions(world: World) -> Sequence[Function]:
        routes = Routes()

        @routes.post("/diary/<page>", status_code=201)
        async def write(page: str, body: Entry, loud: bool = False) -> dict[str, object]:
            diary.entries.append(body.text.upper() if loud else body.text)
            return {"page": page, "at": world.clock.now()}

        async def tick(now: float) -> None:
            diary.entries.append(f"tick {now - 1_750_000_000:g}")

        return [
            Function("diary_http", "diary", HttpRoutes(routes)),
            Function("diary_plain", "diary", QueueTrigger(PLAIN, diary.write, concurrency=concurrency)),
            Function("diary_line", "diary", QueueTrigger(LINE, diary.write)),
            Function("diary_hourly", "diary", Schedule(3600, tick)),
        ]

    return functions


@dataclass
class Shelf:
    """A queue in memory, on the world's clock: what the hosts' own behaviour needs, and nothing more."""

    clock: VirtualClock
    standing: list[Message] = field(default_factory=list)
    visible_at: dict[str, float] = field(default_factory=dict)
    postponed: list[tuple[str, float]] = field(default_factory=list)
    deletes: int = 0

    async def send(self, messages: Sequence[Send]) -> None:
        for send in messages:
            number = str(len(self.visible_at))
            self.visible_at[number] = self.clock.now()
            self.standing.append(Message(number, send.queue, send.body, 0, number, send.group))

    async def receive(self, queue: str, limit: int = 10, wait: float = 0.0) -> Sequence[Message]:
        for patience in (wait, 0.0):
            now = self.clock.now()
            hidden = {m.group for m in self.standing if m.group and self.visible_at[m.id] > now}
            ready = [
                m
                for m in self.standing
                if m.queue == queue and self.visible_at[m.id] <= now and (m.group is None or m.group not in hidden)
            ][:limit]
            if ready or not patience:
                break
            await self.clock.sleep(patience)
        taken = [Message(m.id, m.queue, m.body, m.receives + 1, m.receipt, m.group) for m in ready]
        for message in taken:
            self.standing[[m.id for m in self.standing].index(message.id)] = message
            self.visible_at[message.id] = self.clock.now() + 30
        return taken

    async def delete(self, messages: Sequence[Message]) -> None:
        self.deletes += 1
        self.standing = [m for m in self.standing if m.id not in {gone.id for gone in messages}]
        await asyncio.sleep(0)

    async def postpone(self, message: Message, seconds: float) -> None:
        self.postponed.append((message.body.decode(), seconds))
        self.visible_at[message.id] = self.clock.now() + seconds

    async def depth(self, queue: str) -> int:
        return sum(message.queue == queue for message in self.standing)


def world_of(shelf: Shelf, closed: Callable[[], None] = lambda: None) -> World:
    """A connected world; what the diary does not use refuses to be used."""
    nowhere = not_connected(SETTINGS)

    async def close() -> None:
        closed()

    return World(
        nowhere.table,
        shelf,
        nowhere.blobs,
        nowhere.keyring,
        shelf.clock,
        SeededIds(1, shelf.clock),
        nowhere.http,
        SETTINGS,
        nowhere.engine,
        close,
    )


# ---------------------------------------------------------------- both hosts


class Host(Protocol):
    def request(self, method: str, path: str, content: bytes, headers: dict[str, str]) -> httpx.Response: ...

    def deliver(self, queue: QueueSpec, bodies: Sequence[str], group: str | None = None) -> list[str]:
        """One delivery of these messages; what must come again."""
        ...

    def tick(self) -> None: ...

    def close(self) -> None: ...


class OnEmbedded:
    def __init__(self, declare: Declare) -> None:
        self.shelf = Shelf(VirtualClock())
        self.world = world_of(self.shelf)
        self.functions = declare(self.world)
        self.runner = asyncio.Runner()

    def request(self, method: str, path: str, content: bytes, headers: dict[str, str]) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(Embedded(self.world, self.functions).site)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.request(method, path, content=content, headers=headers)

        return self.runner.run(ask())

    def deliver(self, queue: QueueSpec, bodies: Sequence[str], group: str | None = None) -> list[str]:
        async def run() -> list[str]:
            await self.shelf.send([Send(queue.name, body.encode(), group) for body in bodies])
            queues = [one for one in self.functions if isinstance(one.trigger, QueueTrigger)]
            async with Embedded(self.world, queues):
                await at_rest()
            return [message.body.decode() for message in self.shelf.standing]

        return self.runner.run(run())

    def tick(self) -> None:
        async def run() -> None:
            async with Embedded(self.world, [one for one in self.functions if isinstance(one.trigger, Schedule)]):
                await at_rest()

        self.runner.run(run())

    def close(self) -> None:
        self.runner.close()


class OnAws:
    def __init__(self, declare: Declare) -> None:
        self.shelf = Shelf(VirtualClock())

        async def connect(_: Settings) -> World:
            return world_of(self.shelf)

        self.bound = bind(declare, SETTINGS, connect)

    def close(self) -> None:
        self.bound.close()

    def request(self, method: str, path: str, content: bytes, headers: dict[str, str]) -> httpx.Response:
        bare, _, query = path.partition("?")
        resource = next((one for one in self.bound.app.routes if one.startswith(bare[:6])), bare)
        pairs = [pair.split("=") for pair in query.split("&") if pair]
        event = {
            "httpMethod": method,
            "path": bare,
            "resource": resource,
            "headers": headers,
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "queryStringParameters": dict(pairs) or None,
            "multiValueQueryStringParameters": {name: [value] for name, value in pairs} or None,
            "pathParameters": {"page": bare.rpartition("/")[2]},
            "stageVariables": None,
            "body": base64.b64encode(content).decode(),
            "isBase64Encoded": True,
            "requestContext": {
                "resourcePath": resource,
                "httpMethod": method,
                "stage": "dev",
                "identity": {"sourceIp": "192.0.2.1"},
            },
        }
        told = self.bound.app(event, None)
        body = base64.b64decode(told["body"]) if told["isBase64Encoded"] else told["body"].encode()
        named = [(name, value) for name, values in told["multiValueHeaders"].items() for value in values]
        return httpx.Response(told["statusCode"], headers=named, content=body)

    def deliver(self, queue: QueueSpec, bodies: Sequence[str], group: str | None = None) -> list[str]:
        records = [
            {
                "messageId": f"m{number}",
                "receiptHandle": f"r{number}",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1"} | ({"MessageGroupId": group} if group else {}),
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:x",
            }
            for number, body in enumerate(bodies)
        ]
        failed = self.bound.handlers[f"diary_{queue.name}"]({"Records": records}, None)["batchItemFailures"]
        return [bodies[int(one["itemIdentifier"][1:])] for one in failed]

    def tick(self) -> None:
        schedule = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}, "version": "0"}
        event = {"account": "1", "region": "us-east-1", "resources": [], "time": "2025-06-15T15:06:40Z", "id": "1"}
        self.bound.handlers["diary_hourly"](schedule | event, None)


async def at_rest() -> None:
    """Enough turns of the loop for everything that can run to have run."""
    for _ in range(200):
        await asyncio.sleep(0)


@pytest.fixture
def diary() -> Diary:
    return Diary()


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Hosts configure the process's logging; afterwards it is as it was."""
    root, ours = logging.getLogger(), [logging.getLogger("linkflow"), logging.getLogger("functions")]
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for logger in ours:
        logger.setLevel(logging.NOTSET)


@pytest.fixture(params=[OnEmbedded, OnAws])
def host(request: pytest.FixtureRequest, diary: Diary) -> Iterator[Host]:
    made: Host = request.param(keeping(diary))
    yield made
    made.close()


def test_a_request_is_answered_the_same(host: Host, diary: Diary) -> None:
    answer = host.request("POST", "/diary/7?loud=true", b'{"text": "rain"}', {"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()) == (201, {"page": "7", "at": 1_750_000_000.0})
    assert answer.headers["x-request-id"].startswith("req_")
    assert diary.entries == ["RAIN"]


def test_a_wrong_request_is_refused_the_same(host: Host, diary: Diary) -> None:
    answer = host.request("POST", "/diary/7", b'{"txt": "rain"}', {"X-Request-Id": "q"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["request_id"]) == (422, "invalid", "q")
    assert [fault["path"] for fault in error["details"]] == ["$.body.text", "$.body.txt"]
    assert diary.entries == []


def test_the_docs_are_text_on_every_host(host: Host) -> None:
    assert "SwaggerUIBundle" in host.request("GET", "/docs", b"", {"Accept-Encoding": "gzip"}).text


def test_of_a_delivery_only_what_failed_comes_again(host: Host, diary: Diary) -> None:
    assert host.deliver(PLAIN, ["one", "bad", "two", "worse", "three"]) == ["bad", "worse"]
    assert sorted(diary.entries) == ["one", "three", "two"]


def test_behind_a_failure_the_rest_of_its_group_comes_again_too(host: Host, diary: Diary) -> None:
    assert host.deliver(LINE, ["one", "bad", "two"], group="g") == ["bad", "two"]
    assert diary.entries == ["one"]


def test_a_schedule_is_told_the_time(host: Host, diary: Diary) -> None:
    host.tick()
    assert diary.entries == ["tick 0"]


def test_a_host_that_is_asked_twice_keeps_its_world(host: Host, diary: Diary) -> None:
    for text in ("one", "two"):
        host.request("POST", "/diary/7", json.dumps({"text": text}).encode(), {})
    assert diary.entries == ["one", "two"]


# ---------------------------------------------------------------- declaring


def test_declaring_uses_no_port_and_whoever_tries_is_told() -> None:
    world = not_connected(SETTINGS)
    assert next(one.name for one in keeping(Diary())(world)) == "diary_http"
    with pytest.raises(Broken, match="nothing is connected yet"):
        world.clock.now()


def test_the_chalice_app_knows_every_route_queue_and_schedule(diary: Diary) -> None:
    async def connect(_: Settings) -> World:
        raise AssertionError("packaging connects nothing")

    bound = bind(keeping(diary), SETTINGS, connect)
    assert set(bound.app.routes) == {"/diary/{page}", "/openapi.json", "/docs"}
    assert set(bound.app.routes["/diary/{page}"]) == {"POST"}
    sources: dict[str, Any] = {source.name: source for source in bound.app.event_sources}
    assert sources["diary_plain"].queue == "linkflow-dev-plain"
    assert sources["diary_line"].queue == "linkflow-dev-line.fifo"
    assert sources["diary_hourly"].schedule_expression.to_string() == "rate(1 hour)"
    assert {source.handler_string for source in sources.values()} == {f"app.{name}" for name in bound.handlers}


@pytest.mark.parametrize("every", [0, 90, -60])
def test_a_schedule_that_no_cloud_can_keep_is_refused(every: int) -> None:
    with pytest.raises(ValueError, match="whole minutes"):
        Schedule(every, Diary.write)  # type: ignore[arg-type]  # the handler does not matter here


def test_the_pause_before_redelivery_grows_and_has_an_end() -> None:
    pauses = [redelivery_pause(receives) for receives in range(1, 40)]
    assert pauses[:4] == [1, 2, 4, 8]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 300


# ---------------------------------------------------------------- the embedded host's pump


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


def test_a_process_that_is_told_to_stop_exits_with_zero() -> None:
    program = textwrap.dedent("""
        from linkflow.adapters.clock import SystemClock
        from linkflow.adapters.ids import SystemIds
        from linkflow.runtime.hosts.embedded import run
        from linkflow.runtime.settings import Settings
        from linkflow.runtime.wiring import World, not_connected

        async def connect(settings):
            nowhere = not_connected(settings)
            clock = SystemClock()
            return World(nowhere.table, nowhere.queue, nowhere.blobs, nowhere.keyring, clock, SystemIds(clock),
                         nowhere.http, settings, nowhere.engine)

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
