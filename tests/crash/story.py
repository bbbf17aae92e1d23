"""The story every crash run tells: executions are started and served while processes die; in the end all is as if
nobody had died.

Invariants: whoever was told 202 finds a finished execution; a repeated start begins nothing twice; books have no gaps;
no node is completed twice; what a node recorded is an answer that the outside gave to this node's one key. Webhooks
come throughout, from somebody who tries again on connection errors only: none is answered 404, none 2xx for nothing,
and none begins two executions.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from tests.crash.server import Server
from tests.flow.outside import Outside
from tests.unit.graphs import graph, node

CHILD = "crash-child"
PATIENCE = 90.0
"""Seconds within which everything is finished once nobody dies any more."""


def workflow(outside: Outside) -> dict[str, Any]:
    """Two calls in a row, two side by side, a join, a delay, a child, a last value: something is always under way."""
    call = {"url": outside.address + "/ok", "method": "POST", "body": "{{ trigger }}"}
    nodes = [
        node("start", "manual"),
        *(node(name, "http_request", call, retry={"max_attempts": 5, "interval": 0.2}) for name in "abcd"),
        node("join", "merge"),
        node("wait", "delay", {"seconds": 1}),
        node("child", "sub_workflow", {"workflow": CHILD, "input": "{{ trigger }}"}),
        node("end", "set", {"values": {"n": "{{ trigger.n }}"}}),
    ]
    edges = ("start -> a", "a -> b", "b -> c", "b -> d", "c -> join", "d -> join", "join -> wait", "wait -> child")
    return graph(nodes, *edges, "child -> end")


def child() -> dict[str, Any]:
    """What each of them starts and waits for."""
    nodes = [
        node("begin", "manual"),
        node("pause", "delay", {"seconds": 0.5}),
        node("echo", "set", {"values": {"n": 1}}),
    ]
    return graph(nodes, "begin -> pause", "pause -> echo")


def hooked(outside: Outside) -> dict[str, Any]:
    """What webhooks start: one call, and its answer."""
    call = {"url": outside.address + "/ok", "method": "POST", "body": "{{ trigger.body }}"}
    nodes = [
        node("hook", "webhook", {"answer": "at_once"}),
        node("a", "http_request", call, retry={"max_attempts": 5, "interval": 0.2}),
        node("end", "set", {"values": {"n": "{{ trigger.body.n }}"}}),
    ]
    return graph(nodes, "hook -> a", "a -> end")


@dataclass(frozen=True, slots=True)
class Told:
    """What a story came to: how many were started by hand, by webhook, and how many processes died or were replaced."""

    started: int
    hooked: int
    kills: int
    replaced: int


class Story:
    """`servers` are the first ones; `more` makes the one that takes another's place in a rolling restart."""

    def __init__(self, servers: Sequence[Server], outside: Outside, seed: int, more: Callable[[], Server]) -> None:
        self.servers = list(servers)
        self._outside = outside
        self._random = random.Random(seed)
        self._more = more
        self._over = asyncio.Event()
        self.gone: list[Server] = []

    async def tell(self, count: int, kills: int, restarts: int = 0) -> Told:
        first = self.servers[0]
        await first.start()
        for other in self.servers[1:]:
            await other.start()
            other.key = first.key
        limits = httpx.Limits(max_keepalive_connections=0)  # (a connection to a dead process is no connection)
        headers = {"Authorization": f"Bearer {first.key}"}
        async with httpx.AsyncClient(timeout=30, headers=headers, limits=limits) as http:
            inner = await self._made(http, CHILD, child())
            created = await self._made(http, "crash", workflow(self._outside))
            hook = await self._made(http, "hooked", hooked(self._outside))
            starting = asyncio.create_task(self._start_all(http, created["id"], count))
            calling = asyncio.create_task(self._call_throughout(http, hook["hooks"][0]["url"]))
            await self._kill_some(kills)
            await self._replace_some(restarts)
            started = await starting
            self._over.set()
            called = await calling
            assert len(set(started)) == count, "a repeated start began another execution"
            assert len(set(called)) == len(called), "two webhooks were given one execution"
            done = await self._finished(http, created["id"], count)
            begun = await self._finished(http, inner["id"], count)
            answered = await self._finished(http, hook["id"], len(called))
            assert Counter(one["status"] for one in begun) == {"succeeded": count}, "a child was begun twice"
            assert Counter(one["status"] for one in done) == {"succeeded": count}
            assert Counter(one["status"] for one in answered) == {"succeeded": len(called)}, "a webhook was doubled"
            assert {one["id"] for one in done} == set(started)
            assert {one["id"] for one in answered} == set(called), "a webhook that was answered 2xx is not there"
            for identifier in (*started, *called):
                await self._check(http, identifier)
        kills = sum(server.kills for server in (*self.servers, *self.gone))
        return Told(count, len(called), kills, len(self.gone))

    async def _made(self, http: httpx.AsyncClient, name: str, definition: dict[str, Any]) -> Any:
        return await self._insistent(http, "POST", "/api/v1/workflows", {"name": name, "definition": definition})

    async def _start_all(self, http: httpx.AsyncClient, workflow_id: str, count: int) -> list[str]:
        path = f"/api/v1/workflows/{workflow_id}/execute"
        started = []
        for number in range(count):
            answer = await self._insistent(http, "POST", path, {"input": {"n": number}}, key=f"start-{number}")
            started.append(answer["id"])
            await asyncio.sleep(self._random.random() * 0.1)
        return started

    async def _call_throughout(self, http: httpx.AsyncClient, url: str) -> list[str]:
        """One webhook after the other, whatever happens to the servers; the executions they were answered with."""
        path = url[url.index("/hooks/") :]
        executions: list[str] = []
        while not self._over.is_set():
            number = len(executions)
            answer = await self._insistent(http, "POST", path, {"n": number}, key=f"hook-{number}")
            executions.append(answer["execution"])
            await asyncio.sleep(self._random.random() * 0.2)
        return executions

    async def _kill_some(self, kills: int) -> None:
        """At random moments, one server after the other; each is started again at once."""
        for number in range(kills):
            await asyncio.sleep(0.3 + self._random.random() * 2.5)
            server = self.servers[number % len(self.servers)]
            await server.kill()
            await server.start()

    async def _replace_some(self, restarts: int) -> None:
        """A rolling restart: the new one listens before the old one is asked to stop."""
        for _ in range(restarts):
            new = self._more()
            new.key = self.servers[0].key
            await new.start()
            old = self.servers.pop(0)
            self.servers.append(new)
            await old.stop()
            self.gone.append(old)

    async def _insistent(
        self, http: httpx.AsyncClient, method: str, path: str, body: Any = None, key: str | None = None
    ) -> Any:
        """Again and again, but on connection errors only: any answer is taken at its word."""
        for attempt in range(800):
            server = self.servers[attempt % len(self.servers)]
            try:
                headers = {"Idempotency-Key": key} if key else {}
                answer = await http.request(method, server.address + path, json=body, headers=headers)
            except httpx.TransportError:
                await asyncio.sleep(0.05)
                continue
            assert answer.status_code < 300, answer.text
            return answer.json()
        raise AssertionError("no server answered")

    async def _finished(self, http: httpx.AsyncClient, workflow_id: str, count: int) -> list[dict[str, Any]]:
        """All executions of a workflow, once none is running."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while True:
            found = await self._all(http, workflow_id)
            running = [one["id"] for one in found if one["status"] == "running"]
            if not running and len(found) >= count:
                return found
            assert asyncio.get_running_loop().time() < deadline, f"stuck: {running}"
            await asyncio.sleep(0.2)

    async def _all(self, http: httpx.AsyncClient, workflow_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        path = following = f"/api/v1/executions?limit=200&workflow={workflow_id}"
        while True:
            page = await self._insistent(http, "GET", following)
            found += page["data"]
            if page["next_cursor"] is None:
                return found
            following = f"{path}&cursor={quote(page['next_cursor'])}"

    async def _check(self, http: httpx.AsyncClient, identifier: str) -> None:
        page = await self._insistent(http, "GET", f"/api/v1/executions/{identifier}/events?limit=200")
        turns = sorted({event["turn"] for event in page["data"]})
        assert turns == list(range(len(turns))), "the book has a gap"
        succeeded = Counter(e["data"]["task"] for e in page["data"] if e["type"] == "TaskSucceeded")
        assert all(times == 1 for times in succeeded.values()), "a completion was recorded twice"
        detail = await self._insistent(http, "GET", f"/api/v1/executions/{identifier}")
        entered = Counter(one["node"] for one in detail["nodes"])
        assert all(times == 1 for times in entered.values()), entered
        for one in detail["nodes"]:
            if one["node"] in ("a", "b", "c", "d"):
                answer = one["output"]["body"]
                assert answer["serial"] in self._outside.answers[answer["key"]]
