"""history: drives executions. One lane message, one visit."""

from collections.abc import Sequence

import msgspec

from functions.history.service import Driver
from linkflow.messages import LANE, Wake
from linkflow.ports import Message
from linkflow.runtime.functions import Function, QueueTrigger
from linkflow.runtime.wiring import World

CONCURRENCY = 2_000
"""Executions that one process drives at the same time; most of them wait for tasks."""


def functions(world: World) -> Sequence[Function]:
    driver = Driver(world.engine)

    async def drive(message: Message) -> None:
        await driver.drive(message, msgspec.json.decode(message.body, type=Wake))

    return [Function("history_lane", "history", QueueTrigger(LANE, drive, concurrency=CONCURRENCY), timeout=900)]
