"""worker: runs tasks that are too long for a visit, and brings their outcome back through the lane."""

import contextlib
from collections.abc import Sequence

import msgspec

from linkflow.engine.engine import Call
from linkflow.engine.news import tell
from linkflow.engine.tasks import run_bounded
from linkflow.errors import NotFound
from linkflow.messages import TASKS, TaskMessage
from linkflow.ports import Message
from linkflow.runtime.functions import Function, QueueTrigger
from linkflow.runtime.wiring import World


def functions(world: World) -> Sequence[Function]:
    async def work(message: Message) -> None:
        given = msgspec.json.decode(message.body, type=TaskMessage)
        outcome = await run_bounded(world.engine, Call(given.workspace, given.execution, given.task))
        with contextlib.suppress(NotFound):
            await tell(world.engine, given.workspace, given.execution, outcome)

    return [Function("worker_tasks", "worker", QueueTrigger(TASKS, work), timeout=900)]
