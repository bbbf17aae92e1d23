"""timer: moments. A delayed alarm wakes its execution, a due message has its schedule looked at; each minute the
schedules are swept for what is due next, the watchdog looks after what is due, and the store is tidied."""

from collections.abc import Sequence

import msgspec

from functions.timer import service
from linkflow.messages import TIMERS, Timer
from linkflow.ports import Message
from linkflow.runtime.functions import Function, QueueTrigger, Schedule
from linkflow.runtime.wiring import World


def functions(world: World) -> Sequence[Function]:
    sweeper = service.Sweeper(world)

    async def ring(message: Message) -> None:
        await service.ring(world, msgspec.json.decode(message.body, type=Timer))

    return [
        Function("timer_alarms", "timer", QueueTrigger(TIMERS, ring, concurrency=1_000)),
        Function("timer_watch", "timer", Schedule(60, sweeper.sweep)),
    ]
