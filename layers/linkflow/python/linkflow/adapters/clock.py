"""Time as a port: the system's clock, and one that stands still until it is moved.

`VirtualClock` is a product, not a test double: simulations and tests run days of waits in milliseconds with it. It is
moved by hand (`advance`, `advance_to`), or by `timeless_loop`, an event loop that moves it to the next due sleeper
whenever every coroutine waits. The latter needs no guess about who is still busy: a loop asks its selector to block
exactly when nothing is runnable.
"""

import asyncio
import heapq
import selectors
import time


class SystemClock:
    """The machine's time, for everything that serves people."""

    def now(self) -> float:
        return time.time()  # noqa: TID251 (this adapter is where the time comes from)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


class VirtualClock:
    """Time that passes only when told. Sleepers wake in the order of their moments, equal ones in order of arrival."""

    def __init__(self, start: float = 1_750_000_000.0) -> None:
        self._now = start
        self._arrivals = 0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Returns once the clock stands `seconds` later; not positive means only giving others a turn."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arrivals += 1
        heapq.heappush(self._sleepers, (self._now + seconds, self._arrivals, woken))
        await woken

    def next_moment(self) -> float | None:
        """When the next sleeper is due; None when nobody sleeps."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    async def advance(self, seconds: float) -> None:
        await self.advance_to(self._now + seconds)

    async def advance_to(self, moment: float) -> None:
        """Move to `moment`, stopping at every sleeper's on the way, so that each does its work at its own time (and
        may fall asleep again before `moment`). What a woken coroutine does must need no other thread to be seen."""
        await _let_others_run()  # (who was just started falls asleep at the old time)
        while (due := self.next_moment()) is not None and due <= moment:
            self.wake_next()
            await _let_others_run()
        self._now = max(self._now, moment)
        await _let_others_run()

    def wake_next(self) -> bool:
        """Move to the next sleeper's moment and wake everybody due then; False when nobody sleeps."""
        due = self.next_moment()
        if due is None:
            return False
        self._now = max(self._now, due)
        self._wake_due()
        return True

    def jump(self, most: float | None) -> bool:
        """Move to the next sleeper's moment, but by `most` seconds at most; False when nothing says how far."""
        due = self.next_moment()
        if due is None and most is None:
            return False
        limit = None if most is None else self._now + most
        if due is None or (limit is not None and limit < due):
            self._now = max(self._now, limit or 0.0)
            return True
        return self.wake_next()

    def _wake_due(self) -> None:
        while self._sleepers and self._sleepers[0][0] <= self._now:
            woken = heapq.heappop(self._sleepers)[2]
            if not woken.done():
                woken.set_result(None)


async def _let_others_run() -> None:
    """Enough turns of the loop for a woken chain of awaits (task, future, gather, …) to come to rest."""
    for _ in range(20):
        await asyncio.sleep(0)


def timeless_loop(clock: VirtualClock) -> asyncio.AbstractEventLoop:
    """An event loop in which waiting takes no time: `clock` jumps to the next sleeper, or to the loop's own next timer,
    when nothing else can run.

    Deterministic as long as nothing in it uses threads or sockets."""
    return _TimelessLoop(clock)


class _TimelessLoop(asyncio.SelectorEventLoop):
    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        super().__init__(_NeverIdle(clock))
        self._clock_resolution = 1e-6
        """Seconds by which a timer may come early: more than what a float tells apart at the moments of our time."""

    def time(self) -> float:
        return self._clock.now()


class _NeverIdle(selectors.DefaultSelector):
    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self._clock.jump(timeout):
            return []
        return super().select(timeout)
