"""Those who wait for a message, and what wakes them: a send of this process, time, or another process's write.

Other processes do not tell us, so while somebody waits on a file the room looks every 200 ms whether anybody wrote to
it. One look for all waiters, of a few microseconds; nobody waiting, nobody looking.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

from linkflow.ports import Clock

LOOK_EVERY = 0.2
"""Seconds after which another process's send is noticed at the latest."""


class WaitingRoom:
    """`written` says whether anybody wrote since it was last asked; None when nobody else can."""

    def __init__(self, clock: Clock, written: Callable[[], bool] | None) -> None:
        self._clock = clock
        self._written = written
        self._waiting: defaultdict[str, dict[asyncio.Future[None], None]] = defaultdict(dict)
        self._calls: Counter[str] = Counter()
        self._lookout: asyncio.Task[None] | None = None

    def calls(self, queue: str) -> int:
        """How often `queue` was called; given to `wait`, no call in between is missed."""
        return self._calls[queue]

    def call(self, queues: Iterable[str]) -> None:
        """Wake everybody who waits for one of `queues`, who came first first."""
        for queue in queues:
            self._calls[queue] += 1
            for waiter in self._waiting.pop(queue, ()):
                _wake(waiter)

    async def wait(self, queue: str, calls: int, seconds: float) -> None:
        """Until `queue` is called (or was, since it had been called `calls` times), at most `seconds`."""
        if self._calls[queue] != calls:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[queue][waiter] = None
        if self._written is not None and self._lookout is None:
            self._lookout = asyncio.create_task(self._look_out(self._written))
        alarm = asyncio.create_task(self._clock.sleep(seconds))
        alarm.add_done_callback(lambda _: _wake(waiter))
        try:
            await waiter
        finally:
            alarm.cancel()
            self._waiting[queue].pop(waiter, None)

    async def _look_out(self, written: Callable[[], bool]) -> None:
        """What was written since the last look of an earlier lookout counts too: it may be news to the first waiter."""
        try:
            while any(self._waiting.values()):
                await self._clock.sleep(LOOK_EVERY)
                if written():
                    self.call(list(self._waiting))
                    await asyncio.sleep(0)
        finally:
            self._lookout = None

    async def close(self) -> None:
        if self._lookout is not None:
            self._lookout.cancel()
            await asyncio.wait([self._lookout])


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
