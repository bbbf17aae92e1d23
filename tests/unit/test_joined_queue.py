"""Sends of one moment share a call; who is refused is told alone."""

import asyncio
from collections.abc import Sequence

import pytest

from linkflow.adapters.joined import JoinedQueue
from linkflow.errors import Throttled, TooLarge
from linkflow.ports import Message, Send


class Counting:
    """Takes no message whose body is `refused`, and nothing at all while `busy`."""

    def __init__(self, refused: bytes = b"", *, busy: bool = False) -> None:
        self.calls: list[list[bytes]] = []
        self.refused, self.busy = refused, busy

    async def send(self, messages: Sequence[Send]) -> None:
        bodies = [message.body for message in messages]
        if self.busy:
            raise Throttled("The queue")
        if self.refused in bodies:
            raise TooLarge("A message", 2, 1)
        self.calls.append(bodies)

    async def receive(self, queue: str, limit: int = 10, wait: float = 0.0) -> Sequence[Message]:
        raise NotImplementedError

    async def delete(self, messages: Sequence[Message]) -> None:
        raise NotImplementedError

    async def postpone(self, message: Message, seconds: float) -> None:
        raise NotImplementedError

    async def depth(self, queue: str) -> int:
        raise NotImplementedError


def sends(*bodies: str) -> list[Send]:
    return [Send("q", body.encode()) for body in bodies]


async def test_what_is_asked_for_together_is_sent_together_in_order() -> None:
    counting = Counting()
    queue = JoinedQueue(counting)
    await asyncio.gather(*(queue.send(sends(f"{number}", f"{number}+")) for number in range(3)))
    await queue.send(sends("later"))
    assert counting.calls == [[b"0", b"0+", b"1", b"1+", b"2", b"2+"], [b"later"]]


async def test_a_message_that_is_not_taken_fails_its_own_send_alone() -> None:
    counting = Counting(b"too large")
    queue = JoinedQueue(counting)
    answers = await asyncio.gather(
        *(queue.send(sends(body)) for body in ("a", "too large", "b")), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [type(None), TooLarge, type(None)]
    assert counting.calls == [[b"a"], [b"b"]]


async def test_all_are_told_of_a_queue_that_is_busy_and_may_try_again() -> None:
    counting = Counting(busy=True)
    queue = JoinedQueue(counting)
    answers = await asyncio.gather(*(queue.send(sends(body)) for body in "ab"), return_exceptions=True)
    assert [type(answer) for answer in answers] == [Throttled, Throttled]
    counting.busy = False
    await queue.send(sends("a"))
    assert counting.calls == [[b"a"]]


async def test_who_is_cancelled_keeps_nobody_waiting() -> None:
    counting = Counting()
    queue = JoinedQueue(counting)
    given_up = asyncio.ensure_future(queue.send(sends("a")))
    other = asyncio.ensure_future(queue.send(sends("b")))
    await asyncio.sleep(0)
    given_up.cancel()
    await other
    with pytest.raises(asyncio.CancelledError):
        await given_up
    assert counting.calls == [[b"a", b"b"]]
