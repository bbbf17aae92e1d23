"""The story every crash run tells: executions are started and served while processes die; in the end all is as if
nobody had died.

Invariants: whoever was told 202 finds a finished execution; a repeated start begins nothing twice; books have no gaps;
no node is completed twice; what a node recorded is an answer that the outside gave to this node's one key.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

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


class Story:
    def __init__(self, servers: Sequence[Server], outside: Outside, seed: int) -> None:
        self._servers = servers
        self._outside = outside
        self._random = random.Random(seed)

    async def tell(self, count: int, kills: int) -> None:
        first = self._servers[0]
        await first.start()
        for other in self._servers[1:]:
            await other.start()
            other.key = first.key
        async with httpx.AsyncClient(timeout=10, headers={"Authorization": f"Bearer {first.key}"}) as http:
            inner = await self._insistent(http, "POST", "/api/v1/workflows", {"name": CHILD, "definition": child()})
            body = {"name": "crash", "definition": workflow(self._outside)}
            created = await self._insistent(http, "POST", "/api/v1/workflows", body)
            starting = asyncio.create_task(self._start_all(http, created["id"], count))
            await self._kill_some(kills)
            started = await starting
            assert len(set(started)) == count, "a repeated start began another execution"
            done = await self._finished(http, created["id"], count)
            begun = await self._finished(http, inner["id"], count)
            assert Counter(one["status"] for one in begun) == {"succeeded": count}, "a child was begun twice"
            assert Counter(one["status"] for one in done) == {"succeeded": count}
            assert {one["id"] for one in done} == set(started)
            for identifier in started:
                await self._check(http, identifier)

    async def _start_all(self, http: httpx.AsyncClient, workflow_id: str, count: int) -> list[str]:
        path = f"/api/v1/workflows/{workflow_id}/execute"
        started = []
        for number in range(count):
            answer = await self._insistent(http, "POST", path, {"input": {"n": number}}, key=f"start-{number}")
            started.append(answer["id"])
            await asyncio.sleep(self._random.random() * 0.1)
        return started

    async def _kill_some(self, kills: int) -> None:
        """At random moments, one server after the other; each is started again at once."""
        for number in range(kills):
            await asyncio.sleep(0.3 + self._random.random() * 2.5)
            server = self._servers[number % len(self._servers)]
            await server.kill()
            await server.start()

    async def _insistent(
        self, http: httpx.AsyncClient, method: str, path: str, body: Any = None, key: str | None = None
    ) -> Any:
        """Again and again, but on connection errors only: any answer is taken at its word."""
        for attempt in range(400):
            server = self._servers[attempt % len(self._servers)]
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
            page = await self._insistent(http, "GET", f"/api/v1/executions?limit=200&workflow={workflow_id}")
            running = [one["id"] for one in page["data"] if one["status"] == "running"]
            if not running and len(page["data"]) >= count:
                found: list[dict[str, Any]] = page["data"]
                return found
            assert asyncio.get_running_loop().time() < deadline, f"stuck: {running}"
            await asyncio.sleep(0.2)

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
            if one["node"] in "abcd":
                answer = one["output"]["body"]
                assert answer["serial"] in self._outside.answers[answer["key"]]
