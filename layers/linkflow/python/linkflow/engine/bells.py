"""What rings within one process when there may be something for those who wait. A convenience: they also look by
themselves from time to time, since it may happen in another process."""

import asyncio

from linkflow.ports import Clock


class Bells:
    __slots__ = ("_waiting", "dismissed")

    def __init__(self) -> None:
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}
        self.dismissed = False
        """The process is about to stop: who waits for a caller's sake answers as if the time had run out."""

    def dismiss(self) -> None:
        """Rings once for everybody: callers are let go, and who has work to finish (a gate) looks and waits on."""
        self.dismissed = True
        for name in list(self._waiting):
            self.ring(name)

    def ring(self, name: str) -> None:
        for waiter in self._waiting.pop(name, ()):
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self, name: str, seconds: float, clock: Clock) -> None:
        """Until `name` rings, at most `seconds`."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiters = self._waiting.setdefault(name, [])
        waiters.append(waiter)
        alarm = asyncio.ensure_future(clock.sleep(seconds))
        try:
            await asyncio.wait([waiter, alarm], return_when=asyncio.FIRST_COMPLETED)
        finally:
            alarm.cancel()
            if not waiter.done() and waiter in waiters:
                waiters.remove(waiter)
                if not waiters and self._waiting.get(name) is waiters:
                    del self._waiting[name]
