"""worker: runs tasks that do not run inside a visit. The isolated ones in a function of their own, which may do nothing
but take them and send what came of them."""

from collections.abc import Sequence

from functions.worker import service
from linkflow.messages import TASKS, TASKS_ISOLATED
from linkflow.ports import Message
from linkflow.runtime.functions import Function, QueueTrigger
from linkflow.runtime.wiring import World


def functions(world: World) -> Sequence[Function]:
    async def work(message: Message) -> None:
        await service.work(world.engine, message)

    async def work_isolated(message: Message) -> None:
        await service.work_isolated(world, message)

    return [
        Function("worker_tasks", "worker", QueueTrigger(TASKS, work), timeout=900),
        Function("worker_isolated", "worker", QueueTrigger(TASKS_ISOLATED, work_isolated, batch=1), timeout=900),
    ]
