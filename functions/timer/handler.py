"""timer: moments. A delayed alarm wakes its execution; each minute the watchdog looks after what is due,
and the store is tidied."""

from collections.abc import Sequence

import msgspec

from linkflow.engine.wakes import wake
from linkflow.engine.watch import watch
from linkflow.messages import TIMERS, Alarm
from linkflow.ports import Message
from linkflow.runtime.functions import Function, QueueTrigger, Schedule
from linkflow.runtime.wiring import World


def functions(world: World) -> Sequence[Function]:
    async def ring(message: Message) -> None:
        alarm = msgspec.json.decode(message.body, type=Alarm)
        await world.queue.send([wake(alarm.workspace, alarm.execution)])

    async def sweep(now: float) -> None:
        await watch(world.engine, now)
        await world.tidy(now)

    return [
        Function("timer_alarms", "timer", QueueTrigger(TIMERS, ring, concurrency=1_000)),
        Function("timer_watch", "timer", Schedule(60, sweep)),
    ]
