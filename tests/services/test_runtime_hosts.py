"""One declaration, two hosts: the same request, the same messages, the same tick have the same effect on both."""

import asyncio
import base64
import json
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import httpx
import pytest

from linkflow.adapters.clock import VirtualClock
from linkflow.errors import Broken
from linkflow.ports import QueueSpec, Send
from linkflow.runtime.functions import Declare, QueueTrigger, Schedule, redelivery_pause
from linkflow.runtime.hosts.aws import bind
from linkflow.runtime.hosts.embedded import Embedded
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import World, not_connected
from tests.services.diary import LINE, PLAIN, SETTINGS, Diary, Shelf, at_rest, keeping, world_of


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
