"""A client that costs little, so that what is measured is the server: HTTP/1.1 on kept connections, nothing more."""

import asyncio
import json
from typing import Any

from scripts.benchmarks.server import Server


class Client:
    """`connections` requests at a time."""

    def __init__(self, server: Server, connections: int = 1) -> None:
        self._server = server
        self._connections = connections
        self._free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def connect(self) -> None:
        for _ in range(self._connections):
            self._free.put_nowait(await asyncio.open_connection("127.0.0.1", self._server.port, limit=1 << 24))

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        content = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: linkflow\r\nAuthorization: Bearer {self._server.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        reader, writer = await self._free.get()
        writer.write(head.encode() + content)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        content = await reader.readexactly(length)
        self._free.put_nowait((reader, writer))
        status = int(answer[9:12])
        if status >= 400:
            raise SystemExit(f"{method} {path}: {status} {content.decode()}")
        return json.loads(content) if content else None

    async def create(self, name: str, definition: dict[str, Any]) -> str:
        created = await self.call("POST", "/api/v1/workflows", {"name": name, "definition": definition})
        return str(created["id"])

    def close(self) -> None:
        while not self._free.empty():
            self._free.get_nowait()[1].close()
