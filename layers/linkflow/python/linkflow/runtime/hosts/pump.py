"""Keeps one queue function busy: receives, handles many messages at a time, settles each.

Per delivery: a message whose handler returns is deleted, together with whatever else finished during the last delete;
one whose handler raises comes again after a growing pause, and so does all that stands behind it in its FIFO group;
while a handler runs its message is kept ours (`postpone` by the queue's visibility, three times per visibility).
Death of the process at any instruction leaves messages undeleted, so they come again.

A process that stood still for longer than that (it was stopped, its machine was paused) finds its messages lost: others
may have done with them what it was about to do. Its handlers are told to end before they do it too.
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from linkflow.ports import Clock, Message, Queue
from linkflow.runtime.functions import QueueTrigger, in_order, redelivery_pause
from linkflow.runtime.hosts.delivery import Bury, give_back, handled

if TYPE_CHECKING:
    from collections.abc import Sequence

LONG_POLL = 2.0
"""Seconds one receive waits for something to come."""
RECEIVED = 100
"""Messages asked for at a time; they are handled one by one, so this is not the function's batch."""
_KEPT_AT_ONCE = 50
"""Messages that are kept at the same time: where thousands are handled, one after the other would come too late."""
_LAST_RECEIVE = 0.1
"""Seconds (real ones) that a receive under way is given when a stop is asked for. Cut off in the middle of claiming,
it would leave messages that nobody sees until their visibility has passed."""
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Held:
    """A message that is ours until a moment, as far as we know, and who handles it."""

    message: Message
    until: float
    handler: "asyncio.Task[None]"


class Pump:
    """`run` receives until `stop`; then `drain` waits for what is being handled."""

    def __init__(
        self,
        queue: Queue,
        clock: Clock,
        name: str,
        trigger: QueueTrigger,
        concurrency: int,
        bury: Bury,
        long_poll: float = LONG_POLL,
    ) -> None:
        self._queue = queue
        self._clock = clock
        self._name = name
        self._trigger = trigger
        self._bury = bury
        self._long_poll = long_poll
        self._free = min(trigger.concurrency, concurrency)
        self._freed = asyncio.Event()
        self._ours: dict[str, _Held] = {}
        self._running: dict[asyncio.Task[None], None] = {}
        self._receiving: asyncio.Task[Sequence[Message]] | None = None
        self._done: list[Message] = []
        self._deleting = False
        self._stopping = False

    def stop(self) -> None:
        self._stopping = True
        self._freed.set()
        if self._receiving is not None:
            asyncio.get_running_loop().call_later(_LAST_RECEIVE, self._receiving.cancel)

    async def run(self) -> None:
        """Ends after `stop`, when nothing is being handled. A queue that fails is tried again, after a growing pause.
        When cancelled, handlers are too, and their messages come again at once."""
        heartbeat = asyncio.create_task(self._keep_ours())
        failures = 0
        try:
            while not self._stopping:
                try:
                    await self._receive()
                    failures = 0
                except Exception:  # noqa: BLE001 (a host outlives its queue's bad moments)
                    failures += 1
                    _log.exception("receive_failed", extra={"function": self._name, "attempt": failures})
                    await self._clock.sleep(min(30.0, redelivery_pause(failures)))
            await self.drain()
        finally:
            heartbeat.cancel()
            await self._abandon()

    async def drain(self) -> None:
        """Returns when nothing is being handled or deleted."""
        while self._running:
            await asyncio.wait(self._running)

    async def _receive(self) -> None:
        if self._free <= 0:
            self._freed.clear()
            await self._freed.wait()
            return
        limit = min(self._free, RECEIVED)
        self._receiving = asyncio.create_task(self._queue.receive(self._trigger.queue.name, limit, self._long_poll))
        await asyncio.wait([self._receiving])
        if self._receiving.cancelled():
            return
        messages = self._receiving.result()
        if self._stopping:
            await give_back(messages, 0, self._queue)
            return
        until = self._clock.now() + self._trigger.queue.visibility
        for line in in_order(messages):
            self._free -= len(line)
            handler = self._start(self._handle(line))
            self._ours.update((message.receipt, _Held(message, until, handler)) for message in line)

    def _start(self, work: "asyncio._CoroutineLike[None]") -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._running[task] = None
        task.add_done_callback(self._running.pop)
        return task

    async def _handle(self, line: list[Message]) -> None:
        try:
            for position, message in enumerate(line):
                if not await handled(message, self._name, self._trigger, self._bury):
                    await give_back(line[position:], redelivery_pause(message.receives), self._queue)
                    return
                self._ours.pop(message.receipt, None)
                self._delete(message)
                if _is_cancelled():
                    return
        finally:
            for message in line:
                self._ours.pop(message.receipt, None)
            self._free += len(line)
            self._freed.set()

    def _delete(self, message: Message) -> None:
        self._done.append(message)
        if not self._deleting:
            self._deleting = True
            self._start(self._delete_done())

    async def _delete_done(self) -> None:
        """Deletes what is done; what gets done meanwhile shares the next delete, and so its commit."""
        try:
            while self._done:
                done, self._done = self._done, []
                await self._queue.delete(done)
        except Exception:  # noqa: BLE001 (undeleted messages come again, which handlers bear)
            _log.exception("delete_failed", extra={"function": self._name})
        finally:
            self._deleting = False

    async def _abandon(self) -> None:
        cut_off = [held.message for held in self._ours.values()]
        for task in self._running:
            task.cancel()
        while self._running:  # (a handler that ended all the same has its message deleted)
            await asyncio.wait(self._running)  # (gathering what is done already may not yield, and so never end)
        await give_back(cut_off, 0, self._queue)

    async def _keep_ours(self) -> None:
        while True:
            await self._clock.sleep(self._trigger.queue.visibility / 3)
            self._give_up_lost()
            ours = list(self._ours.values())
            for first in range(0, len(ours), _KEPT_AT_ONCE):
                await asyncio.gather(*(self._keep(held) for held in ours[first : first + _KEPT_AT_ONCE]))
                self._give_up_lost()

    async def _keep(self, held: _Held) -> None:
        visibility, asked = self._trigger.queue.visibility, self._clock.now()
        try:
            await self._queue.postpone(held.message, visibility)
        except Exception:  # noqa: BLE001 (two more heartbeats fit before the message is somebody else's)
            _log.exception("heartbeat_failed", extra={"function": self._name, "id": held.message.id})
        else:
            if self._clock.now() <= held.until:  # (else it may have been too late when the queue heard of it)
                held.until = asked + visibility

    def _give_up_lost(self) -> None:
        """Tell the handlers to end whose messages were not kept in time."""
        now = self._clock.now()
        for receipt, held in list(self._ours.items()):
            if held.until < now:
                _log.warning("message_lost", extra={"function": self._name, "id": held.message.id})
                del self._ours[receipt]
                held.handler.cancel()


def _is_cancelled() -> bool:
    """Whether this line was told to end, and its handler did so by returning."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
