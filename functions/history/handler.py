"""history: drives executions. One lane message, one visit."""

from collections.abc import Sequence

import msgspec

from linkflow.engine.visit import visit
from linkflow.engine.wakes import heard
from linkflow.messages import LANE, Wake
from linkflow.ports import Message
from linkflow.runtime.functions import Function, QueueTrigger
from linkflow.runtime.wiring import World

CONCURRENCY = 2_000
"""Executions that one process drives at the same time; most of them wait for tasks."""


def functions(world: World) -> Sequence[Function]:
    async def drive(message: Message) -> None:
        told = msgspec.json.decode(message.body, type=Wake)
        news = await heard(world.engine, told)
        await visit(world.engine, told.workspace, told.execution, news, resumed=message.receives > 1)
        if told.blob is not None:
            await world.blobs.delete(told.blob)

    return [Function("history_lane", "history", QueueTrigger(LANE, drive, concurrency=CONCURRENCY), timeout=900)]
