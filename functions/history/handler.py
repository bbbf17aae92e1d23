"""history: drives executions. One lane message, one visit."""

from collections.abc import Sequence

import msgspec

from linkflow.engine.visit import visit
from linkflow.messages import LANE, Wake
from linkflow.ports import Message
from linkflow.runtime.functions import Function, QueueTrigger
from linkflow.runtime.wiring import World

CONCURRENCY = 2_000
"""Executions that one process drives at the same time; most of them wait for tasks."""


def functions(world: World) -> Sequence[Function]:
    async def drive(message: Message) -> None:
        told = msgspec.json.decode(message.body, type=Wake)
        await visit(world.engine, told.workspace, told.execution, resumed=message.receives > 1)

    return [Function("history_lane", "history", QueueTrigger(LANE, drive, concurrency=CONCURRENCY), timeout=900)]
