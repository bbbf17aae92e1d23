"""Who waits in this process for an execution to answer or close. A convenience: the book is the truth, and whoever
waits also looks there from time to time, since the visit may happen in another process."""

import asyncio


class Closings:
    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}

    def tell(self, execution: str) -> None:
        """Something that is waited for may have happened."""
        for waiter in self._waiting.pop(execution, ()):
            if not waiter.done():
                waiter.set_result(None)

    def expect(self, execution: str) -> "asyncio.Future[None]":
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(execution, []).append(waiter)
        return waiter

    def forget(self, execution: str, waiter: "asyncio.Future[None]") -> None:
        waiters = self._waiting.get(execution, [])
        if waiter in waiters:
            waiters.remove(waiter)
        if not waiters:
            self._waiting.pop(execution, None)
