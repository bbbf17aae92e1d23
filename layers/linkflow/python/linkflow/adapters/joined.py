"""Sends that are asked for at the same moment share a call: a queue bills by the call, which holds ten messages.

What one step of the event loop asks for goes together: the starts of a batch, the parts of a Map, visits that end side
by side. Nobody waits for others, and who sends alone is not slowed down.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from linkflow.errors import Broken, Refused
from linkflow.ports import Message, Queue, Send


@dataclass(frozen=True, slots=True)
class _Asked:
    messages: Sequence[Send]
    answer: "asyncio.Future[None]"


class JoinedQueue:
    __slots__ = ("_asked", "_queue", "_sending")

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._asked: list[_Asked] = []
        self._sending: set[asyncio.Task[None]] = set()

    async def send(self, messages: Sequence[Send]) -> None:
        """Raises what the queue raises, and so may send again what was sent: when the call fails that they shared."""
        asked = _Asked(messages, asyncio.get_running_loop().create_future())
        self._asked.append(asked)
        if len(self._asked) == 1:
            task = asyncio.create_task(self._send_all())
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        await asked.answer

    async def receive(self, queue: str, limit: int = 10, wait: float = 0.0) -> Sequence[Message]:
        return await self._queue.receive(queue, limit, wait)

    async def delete(self, messages: Sequence[Message]) -> None:
        await self._queue.delete(messages)

    async def postpone(self, message: Message, seconds: float) -> None:
        await self._queue.postpone(message, seconds)

    async def depth(self, queue: str) -> int:
        return await self._queue.depth(queue)

    async def _send_all(self) -> None:
        together, self._asked = self._asked, []
        try:
            await self._queue.send([message for asked in together for message in asked.messages])
        except (Refused, Broken):  # (before any was sent: whose message it is, each is told by a call of its own)
            await asyncio.gather(*(self._send_alone(asked) for asked in together))
        except Exception as error:  # noqa: BLE001 (raised where it was asked for)
            for asked in together:
                _answer(asked, error)
        else:
            for asked in together:
                _answer(asked, None)

    async def _send_alone(self, asked: _Asked) -> None:
        try:
            await self._queue.send(asked.messages)
        except Exception as error:  # noqa: BLE001 (raised where it was asked for)
            _answer(asked, error)
        else:
            _answer(asked, None)


def _answer(asked: _Asked, error: Exception | None) -> None:
    """Who asked may have been cancelled meanwhile."""
    if asked.answer.done():
        return
    if error is None:
        asked.answer.set_result(None)
    else:
        asked.answer.set_exception(error)
