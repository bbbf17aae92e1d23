"""matching: who works on what, and when. Each minute leases that lapsed are seen to; what isolated workers have to say
is brought into the books."""

from collections.abc import Sequence

from functions.matching import service
from linkflow.engine.lease import lapse_all
from linkflow.engine.slots import look_after
from linkflow.messages import OUTCOMES
from linkflow.ports import Message
from linkflow.runtime.functions import Function, QueueTrigger, Schedule
from linkflow.runtime.wiring import World


def functions(world: World) -> Sequence[Function]:
    async def hear(message: Message) -> None:
        await service.hear(world, message.body)

    async def sweep(now: float) -> None:
        await lapse_all(world.engine, now)
        await look_after(world.engine, now)

    return [
        Function("matching_outcomes", "matching", QueueTrigger(OUTCOMES, hear)),
        Function("matching_sweep", "matching", Schedule(60, sweep)),
    ]
