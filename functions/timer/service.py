"""What the timer does when a moment has come, and each minute."""

from functools import partial
from typing import Final, assert_never

from linkflow.engine import schedules
from linkflow.engine.census import SETTLED, census
from linkflow.engine.holds import wake_released
from linkflow.engine.publish import tell_more
from linkflow.engine.wakes import wake
from linkflow.engine.watch import watch
from linkflow.messages import Alarm, Due, Release, Spread, Timer
from linkflow.runtime.wiring import World
from linkflow.stores.pulse import Pulse, Pulses

PULSE: Final = 300.0
"""Seconds between two signs of life: each is a write and a read for each workspace, and an idle installation does
nothing else."""


async def ring(world: World, timer: Timer) -> None:
    match timer:
        case Alarm(workspace, execution):
            await world.queue.send([wake(workspace, execution)])
        case Due(workspace, schedule):
            await schedules.fire(world.engine, workspace, schedule)
        case Release():
            await wake_released(world.engine, timer)
            if timer.cursor is None:
                await schedules.sweep_shard(world.engine, timer.shard, world.clock.now())
        case Spread():
            await tell_more(world.engine, timer)
        case _:
            assert_never(timer)


class Sweeper:
    """The work of each minute; and every five minutes the census, with the sign of life that says how far it came."""

    __slots__ = ("_pulse", "_world")

    def __init__(self, world: World) -> None:
        self._world = world
        self._pulse = float("-inf")

    async def sweep(self, now: float) -> None:
        """Schedules first: they are in a hurry. What fails keeps nothing behind it from being done; a stop does."""
        world, counts, failures = self._world, list[int](), list[Exception]()
        for work in (partial(schedules.sweep, world.engine), partial(watch, world.engine), world.tidy):
            try:
                counts.append(await work(now) or 0)
            except Exception as error:  # noqa: BLE001 (raised when the others are done)
                failures.append(error)
        if failures:
            raise failures[0]
        due, looked, _ = counts
        if not 0 <= now - self._pulse < PULSE:
            await self._beat(now, due, looked)
            self._pulse = now

    async def _beat(self, now: float, due: int, looked: int) -> None:
        pulses = Pulses(self._world.table)
        before = await pulses.get()
        settled = now - SETTLED
        first = 0.0 if before is None else before.settled - SETTLED
        counted = await census(self._world.engine, first, settled, now)
        await pulses.put(Pulse(now, due, looked + counted, self._world.clock.now() - now, settled))
