"""Who waits in this process for an execution to answer or close. A convenience: the book is the truth, and whoever
waits also looks there from time to time, since the visit may happen in another process."""

import asyncio

from linkflow.execution.state import State


class Closings:
    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[str, list[asyncio.Future[State]]] = {}

    def tell(self, execution: str, state: State) -> None:
        """The execution answered or closed; `state` is as the book has it, and changes no more before it is read."""
        for waiter in self._waiting.pop(execution, ()):
            if not waiter.done():
                waiter.set_result(state)

    def expect(self, execution: str) -> "asyncio.Future[State]":
        waiter: asyncio.Future[State] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(execution, []).append(waiter)
        return waiter

    def forget(self, execution: str, waiter: "asyncio.Future[State]") -> None:
        waiters = self._waiting.get(execution, [])
        if waiter in waiters:
            waiters.remove(waiter)
        if not waiters:
            self._waiting.pop(execution, None)
