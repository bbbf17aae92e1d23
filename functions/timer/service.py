"""What the timer does when a moment has come, and each minute."""

from typing import assert_never

from linkflow.engine import schedules
from linkflow.engine.holds import wake_released
from linkflow.engine.wakes import wake
from linkflow.engine.watch import watch
from linkflow.messages import Alarm, Due, Release, Timer
from linkflow.runtime.wiring import World


async def ring(world: World, timer: Timer) -> None:
    match timer:
        case Alarm(workspace, execution):
            await world.queue.send([wake(workspace, execution)])
        case Due(workspace, schedule):
            await schedules.fire(world.engine, workspace, schedule)
        case Release():
            await wake_released(world.engine, timer)
        case _:
            assert_never(timer)


async def sweep(world: World, now: float) -> None:
    """Schedules first: they are in a hurry."""
    await schedules.sweep(world.engine, now)
    await watch(world.engine, now)
    await world.tidy(now)
