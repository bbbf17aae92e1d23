"""One message to its handler, and one whole delivery: what both hosts have in common."""

import asyncio
import logging
from collections.abc import Sequence

from linkflow.errors import TryAgain
from linkflow.ports import Message, Queue
from linkflow.runtime.functions import QueueTrigger, in_order, redelivery_pause

_log = logging.getLogger(__name__)


async def handled(message: Message, function: str, trigger: QueueTrigger) -> bool:
    """True when the handler returned; False, and a line in the log, when it raised."""
    try:
        await trigger.handle(message)
    except TryAgain as error:
        _log.warning("message_postponed", extra={**_about(message, function), "reason": error.message})
        return False
    except Exception:  # noqa: BLE001 (whatever a handler raises, its message comes again and the others go on)
        _log.exception("message_failed", extra=_about(message, function))
        return False
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


async def failed_of(messages: Sequence[Message], function: str, trigger: QueueTrigger, queue: Queue) -> list[Message]:
    """Handle one delivery; the answer is what must come again: failed messages and all behind them in their group."""
    slots = asyncio.Semaphore(trigger.concurrency)

    async def failed_in(line: Sequence[Message]) -> Sequence[Message]:
        async with slots:
            for position, message in enumerate(line):
                if not await handled(message, function, trigger):
                    rest = line[position:]
                    await give_back(rest, redelivery_pause(message.receives), queue)
                    return rest
        return ()

    lines = await asyncio.gather(*(failed_in(line) for line in in_order(messages)))
    return [message for line in lines for message in line]
