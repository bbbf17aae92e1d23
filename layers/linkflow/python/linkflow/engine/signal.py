"""Telling a running execution something: a signal is news like any other, written into the book by whoever brings it.

It is heard once, however often it is sent: its id names it. What somebody sends to an execution that waits for nothing
of the kind stays in its mailbox, which is not endless.
"""

from dataclasses import replace

import msgspec

from linkflow.engine.chain import succeed
from linkflow.engine.engine import Engine
from linkflow.engine.news import tell
from linkflow.engine.start import Start, Started, begin
from linkflow.errors import Conflict, TooLarge
from linkflow.execution.events import SignalReceived
from linkflow.execution.mailbox import UNREAD

LARGEST = 65_536
"""Bytes of JSON that a payload may take."""


class IsOver(Conflict):
    """The execution is over, so it hears nothing any more."""


async def signal(engine: Engine, workspace: str, execution: str, told: SignalReceived) -> None:
    """Sending it again (the same id) changes nothing; what is sent to an execution that goes on as another is told to
    that one. Raises `NotFound`, `TooLarge`, `IsOver`, and `Conflict` where too
    many signals wait to be read."""
    size = len(msgspec.json.encode(told.payload))
    if size > LARGEST:
        raise TooLarge("The signal's payload", size, LARGEST)
    state = await tell(engine, workspace, execution, told)
    if told.id in state.heard:
        return
    if state.status == "continued" and (successor := await succeed(engine, workspace, execution, state)) is not None:
        await signal(engine, workspace, successor, told)
        return
    if state.closed:
        raise IsOver(f"The execution is over already: {state.status}.")
    raise Conflict(f"{UNREAD:,} signals wait to be read already; send it again when the execution has taken some.")


async def signal_with_start(engine: Engine, request: Start, told: SignalReceived) -> Started:
    """Signal the open execution that has the business key; if there is none, start one, and signal that.

    What the start comes to is remembered by the signal's id, so that a repetition, or one after a crash between both,
    tells the same execution. One that closed before it could hear the signal is no answer: then the next is tried."""
    name = f"signal/{told.id}"
    while True:
        started = await begin(engine, replace(request, key_policy="use_existing", idempotency_key=name, exact=False))
        try:
            await signal(engine, request.workflow.workspace, started.execution, told)
        except IsOver:
            name = f"signal/{told.id}/{started.execution}"
        else:
            return started
