"""The shop that the demonstration calls: orders, customers, and a stock service that is down at first."""

import asyncio
import json
from collections import Counter
from types import TracebackType
from typing import Any, Self

FAILURES = 2
"""So many times the stock service fails for one idempotency key before it answers."""
_SHELVES: dict[str, dict[str, dict[str, Any]]] = {
    "orders": {
        "1001": {"id": "1001", "customer": "c-7", "sku": "lamp", "amount": 240},
        "1002": {"id": "1002", "customer": "c-9", "sku": "pen", "amount": 12.5},
    },
    "customers": {"c-7": {"id": "c-7", "name": "Ada", "tier": "gold"}, "c-9": {"id": "c-9", "name": "Ben"}},
    "stock": {"lamp": {"sku": "lamp", "available": 17}, "pen": {"sku": "pen", "available": 400}},
}


class Shop:
    """Listens on a free port of this machine while the context is entered; `calls` has each call's path, in order."""

    def __init__(self) -> None:
        self.address = ""
        self.calls: list[str] = []
        self._asked: Counter[str] = Counter()
        self._open: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection; the demonstration sends requests without a body only."""
        try:
            while True:
                first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
                status, answer = self._answer(first.split()[1], headers.get("idempotency-key", ""))
                content = json.dumps(answer).encode()
                wish = "Retry-After: 0\r\n" if status == 503 else ""
                head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\n{wish}Content-Length: {len(content)}"
                writer.write(f"{head}\r\n\r\n".encode() + content)
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # the caller has gone
        finally:
            writer.close()

    def _answer(self, path: str, key: str) -> tuple[int, Any]:
        self.calls.append(path)
        kind, _, name = path.lstrip("/").partition("/")
        found = _SHELVES.get(kind, {}).get(name)
        if found is None:
            return 404, {"error": f"There is no {path} in this shop."}
        if kind == "stock":
            self._asked[key] += 1
            if self._asked[key] <= FAILURES:
                return 503, {"error": "The stock service is being restarted."}
        return 200, found
