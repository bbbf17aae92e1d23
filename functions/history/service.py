"""Visits, and how they end otherwise than by themselves.

A visit whose process dies leaves its message undeleted; the next one counts that against the tasks that were running.
Two ends are in order, and no task's fault: a store that does not answer, of which this process remembers
which delivery it was, and a host that is asked to stop, which hands the execution over by a message of its own. To be
forgotten (another process gets the message) only means that the tasks are blamed once too often.
"""

import asyncio
from collections import OrderedDict
from functools import partial

from linkflow.engine.engine import Engine
from linkflow.engine.visit import visit
from linkflow.engine.wakes import wake
from linkflow.errors import TryAgain, Unopened
from linkflow.messages import Wake
from linkflow.ports import Message

PATIENCE = 10
"""Receives after which a message that went ahead of an opening is about nothing: it was never written, and nobody was
told that it would be. (They are minutes apart by then, and who opens an execution has seconds.)"""
_SOON = (0.01, 0.03, 0.1, 0.3)
"""Seconds after which an opening that is under way is looked for again, before its message is sent back."""
REMEMBERED = 10_000
"""Deliveries that ended in order, and will come again."""


class Driver:
    __slots__ = ("_engine", "_in_order")

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._in_order: OrderedDict[str, int] = OrderedDict()

    async def drive(self, message: Message, told: Wake) -> None:
        """Raises what the ports raise; the message then comes again."""
        before = self._in_order.pop(message.id, 0)
        repeated = message.receives > 1
        in_order = before == message.receives - 1 if repeated else told.handed_over
        resumed = repeated or told.handed_over
        drive = partial(visit, self._engine, told.workspace, told.execution, resumed=resumed, in_order=in_order)
        try:
            found = await drive()
            for pause in _SOON:
                if found is not None or not told.opens:
                    break
                await self._engine.clock.sleep(pause)
                found = await drive()
            if found is None and told.opens and message.receives <= PATIENCE:
                raise Unopened(told.execution)
        except TryAgain:
            self._in_order[message.id] = message.receives
            if len(self._in_order) > REMEMBERED:
                self._in_order.popitem(last=False)
            raise
        except asyncio.CancelledError:
            # Told to stop: whoever comes next takes over from this message, and the old one is done with.
            await self._engine.queue.send([wake(told.workspace, told.execution, handed_over=True, opens=told.opens)])
