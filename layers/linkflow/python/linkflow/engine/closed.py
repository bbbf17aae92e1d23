"""Who wants to know that an execution is over, besides those who wait for it: each is a listener, told by a message.

The visit that closes an execution asks every listener whether it wants this one, and sends one message if any does: an
execution that nobody listens to costs nothing. The message may come again, so what a listener does must bear being
done twice; one that raises is told again together with all others.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from linkflow.engine import error_trigger
from linkflow.engine.engine import Engine
from linkflow.engine.platform import notices
from linkflow.execution.state import State
from linkflow.language.program import Program
from linkflow.messages import CLOSED, Closed
from linkflow.ports import Send

_encoder: Final = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Listener:
    """`wants` looks at what is at hand, and should cost nothing; `hear` is given the engine, the workspace, the
    execution, and how it ended."""

    wants: Callable[[Engine, str, Program, State], Awaitable[bool]]
    hear: Callable[[Engine, str, str, State], Awaitable[None]]


async def _handler_wanted(_: Engine, __: str, program: Program, state: State) -> bool:
    return error_trigger.wants(program, state)


LISTENERS: Final = (
    Listener(_handler_wanted, error_trigger.start_handler),
    Listener(notices.closing_wanted, notices.tell_closed),
)


async def announce(engine: Engine, program: Program, workspace: str, execution: str, state: State) -> None:
    """Send the message, if anybody wants it."""
    wanted = [await listener.wants(engine, workspace, program, state) for listener in LISTENERS]
    if any(wanted):
        await engine.queue.send([Send(CLOSED.name, _encoder.encode(Closed(workspace, execution)))])


async def tell_listeners(engine: Engine, told: Closed) -> None:
    """The message came."""
    book = await engine.books.load(told.workspace, told.execution)
    if book is None or not book.state.closed:
        return
    state = book.state
    engine.callbacks.forget(told.workspace)  # (whoever sent the message may have known more than this process does)
    program = await engine.programs.get(told.workspace, state.names.workflow_id, state.version, state.program)
    for listener in LISTENERS:
        if await listener.wants(engine, told.workspace, program, state):
            await listener.hear(engine, told.workspace, told.execution, state)
