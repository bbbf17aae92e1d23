"""The world that workflows call: a real HTTP server that remembers who called, how often, and with which key."""

import asyncio
import json
from collections import Counter, defaultdict
from types import TracebackType
from typing import Any, Self


class Outside:
    """Paths: `/ok` answers its call, `/flaky/<n>` fails n times per idempotency key before it does, `/status/<code>`,
    `/crowd` takes its time and counts how many are there at once, `/together/<n>` answers only when n calls are there
    at once, `/silent` never."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.keys: Counter[str] = Counter()
        self.answers: defaultdict[str, list[int]] = defaultdict(list)
        """By idempotency key, the serial numbers of the calls that were answered well."""
        self.seen: list[dict[str, str]] = []
        self.called = asyncio.Event()
        self.at_once = self.most_at_once = 0
        self._together = 0
        self._all_there = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for writer in list(self._writers):
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                first, *lines = head.split("\r\n")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                status, more, answer = await self._answer(first.split()[0], first.split()[1], headers, body)
                content = json.dumps(answer).encode()
                writer.write(
                    f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{more}"
                    f"Content-Length: {len(content)}\r\n\r\n".encode()
                    + content
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # the caller has gone
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, str, Any]:
        key = headers.get("idempotency-key", "")
        self.calls[path] += 1
        self.keys[key] += 1
        self.seen.append({"method": method, "path": path, "body": body.decode(), **headers})
        self.called.set()
        kind, _, argument = path.lstrip("/").partition("?")[0].partition("/")
        if kind == "flaky" and self.keys[key] <= int(argument):
            return 503, "Retry-After: 0\r\n", {"error": "not yet"}
        if kind == "status":
            return int(argument), "", {"said": argument}
        if kind == "together":
            self._together += 1
            if self._together == int(argument):
                self._all_there.set()
            await self._all_there.wait()
        if kind == "crowd":
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            await asyncio.sleep(0.02)
            self.at_once -= 1
        if kind == "silent":
            await asyncio.Event().wait()
        answer = {"method": method, "path": path, "body": json.loads(body) if body else None, "key": key}
        self.answers[key].append(sum(self.keys.values()))
        return 200, "", {**answer, "serial": self.answers[key][-1]}
