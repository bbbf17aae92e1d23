"""The shop that the demonstration calls: orders, customers, and a stock service that is down at first."""

import asyncio
import json
from collections import Counter
from types import TracebackType
from typing import Any, Self

_ORDERS = {
    "1001": {"id": "1001", "customer": "c-7", "sku": "lamp", "amount": 240.0},
    "1002": {"id": "1002", "customer": "c-9", "sku": "pen", "amount": 12.5},
}
_CUSTOMERS = {"c-7": {"id": "c-7", "name": "Ada", "tier": "gold"}, "c-9": {"id": "c-9", "name": "Ben", "tier": "basic"}}
_SHELVES: dict[str, dict[str, Any]] = {"orders": _ORDERS, "customers": _CUSTOMERS}
_FAILURES = 2
"""So many times the stock service fails for one idempotency key before it answers."""


class Shop:
    """Listens on a free port of this machine while the context is entered."""

    def __init__(self) -> None:
        self.address = ""
        self._asked: Counter[str] = Counter()
        self._writers: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[Any]] = set()

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
        await asyncio.gather(*self._serving)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        serving = asyncio.current_task()
        if serving is not None:
            self._serving.add(serving)
            serving.add_done_callback(self._serving.discard)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                status, answer = self._answer(head)
                content = json.dumps(answer).encode()
                writer.write(
                    f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nRetry-After: 0\r\n"
                    f"Content-Length: {len(content)}\r\n\r\n".encode()
                    + content
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # the caller has gone
        finally:
            self._writers.discard(writer)
            writer.close()

    def _answer(self, head: str) -> tuple[int, Any]:
        path = head.split()[1]
        _, kind, name = path.split("/", 2)
        if kind == "stock":
            key = next((line for line in head.lower().split("\r\n") if line.startswith("idempotency-key:")), "")
            self._asked[key] += 1
            if self._asked[key] <= _FAILURES:
                return 503, {"error": "The stock service is being restarted."}
            return 200, {"sku": name, "available": 17}
        found = _SHELVES.get(kind, {}).get(name)
        return (200, found) if found else (404, {"error": f"No {path} here."})
