"""One message to its handler, and one whole delivery: what both hosts have in common."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from linkflow.errors import TryAgain
from linkflow.ports import Message, Queue
from linkflow.runtime.functions import QueueTrigger, in_order, redelivery_pause

_log = logging.getLogger(__name__)


Bury = Callable[[Message, str], Awaitable[None]]
"""Writes down that a message is given up, and why."""


async def handled(message: Message, function: str, trigger: QueueTrigger, bury: Bury) -> bool:
    """Whether the message is done with: its handler returned, or raised at the last receive and the message was buried.
    Else it must come again. A line in the log says why."""
    try:
        await trigger.handle(message)
    except TryAgain as error:
        _log.warning("message_postponed", extra={**_about(message, function), "reason": error.message})
        reason = error.message
    except Exception as error:  # noqa: BLE001 (whatever a handler raises, its message comes again and the others go on)
        _log.exception("message_failed", extra=_about(message, function))
        reason = f"{type(error).__name__}: {error}"
    else:
        return True
    return message.receives >= trigger.queue.max_receives and await _buried(message, function, reason, bury)


async def _buried(message: Message, function: str, reason: str, bury: Bury) -> bool:
    """Whether the reason could be written down; if not, the queue moves the message to its dead letters by itself."""
    try:
        await bury(message, reason)
    except Exception:  # noqa: BLE001 (the message is not lost, only its reason)
        _log.exception("bury_failed", extra=_about(message, function))
        return False
    _log.error("message_buried", extra={**_about(message, function), "reason": reason})
    return True


def _about(message: Message, function: str) -> dict[str, object]:
    return {"function": function, "queue": message.queue, "message_id": message.id, "receives": message.receives}


async def give_back(messages: Sequence[Message], pause: float, queue: Queue) -> None:
    """They come again after `pause` seconds, or after their visibility if the queue cannot be told."""
    try:
        for message in messages:
            await queue.postpone(message, pause)
    except Exception:  # noqa: BLE001 (nothing is lost, only later)
        _log.exception("postpone_failed", extra={"queue": messages[0].queue})


async def failed_of(
    messages: Sequence[Message], function: str, trigger: QueueTrigger, queue: Queue, bury: Bury
) -> list[Message]:
    """Handle one delivery; the answer is what must come again: failed messages and all behind them in their group."""
    slots = asyncio.Semaphore(trigger.concurrency)

    async def failed_in(line: Sequence[Message]) -> Sequence[Message]:
        async with slots:
            for position, message in enumerate(line):
                if not await handled(message, function, trigger, bury):
                    rest = line[position:]
                    await give_back(rest, redelivery_pause(message.receives), queue)
                    return rest
        return ()

    lines = await asyncio.gather(*(failed_in(line) for line in in_order(messages)))
    return [message for line in lines for message in line]
