"""Telling a running execution something: a signal is news like any other, written into the book by whoever brings it.

It is heard once, however often it is sent: its id names it. What somebody sends to an execution that waits for nothing
of the kind stays in its mailbox, which is not endless.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import msgspec

from linkflow.engine.engine import Engine
from linkflow.engine.news import tell
from linkflow.engine.start import Start, start
from linkflow.errors import Conflict, TooLarge
from linkflow.execution.events import SignalReceived
from linkflow.execution.mailbox import UNREAD

LARGEST = 65_536
"""Bytes of JSON that a payload may take."""

Find = Callable[[Engine, Start], Awaitable[str | None]]
"""The open execution that a start would be a second one of, if there is one."""


async def signal(engine: Engine, workspace: str, execution: str, told: SignalReceived) -> None:
    """Sending it again (the same id) changes nothing. Raises `NotFound`, `TooLarge`, and `Conflict` where the execution
    is over or has too many unread signals."""
    size = len(msgspec.json.encode(told.payload))
    if size > LARGEST:
        raise TooLarge("The signal's payload", size, LARGEST)
    state = await tell(engine, workspace, execution, told)
    if told.id in state.heard:
        return
    if state.closed:
        raise Conflict(f"The execution is over already: {state.status}.")
    raise Conflict(f"{UNREAD:,} signals wait to be read already; send it again when the execution has taken some.")


async def signal_with_start(engine: Engine, request: Start, told: SignalReceived, find: Find) -> str:
    """Signal the open execution that `find` finds; if there is none, start one and signal that. Its id.

    The start is remembered by the signal's id, so that a repetition finds what the first one started, closed or not."""
    workspace = request.workflow.workspace
    while (execution := await find(engine, request)) is not None:
        try:
            await signal(engine, workspace, execution, told)
        except Conflict:
            summary = await engine.summaries.get(workspace, execution)
            if summary is None or summary.status == "running":
                raise
            break  # it closed meanwhile
        return execution
    key = request.idempotency_key or f"signal/{told.id}"
    execution = await start(engine, replace(request, idempotency_key=key))
    await signal(engine, workspace, execution, told)
    return execution
