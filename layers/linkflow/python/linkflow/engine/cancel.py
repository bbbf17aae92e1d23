"""Cancelling: the wish is news like any other, but one for an execution that is over comes too late."""

from linkflow.engine.engine import Engine
from linkflow.engine.news import tell
from linkflow.errors import Conflict
from linkflow.execution.events import CancelRequested


async def cancel(engine: Engine, workspace: str, execution: str, by: str, reason: str) -> None:
    """Ask the execution to end. Asking again changes nothing. Raises `NotFound`, and `Conflict` when it is over."""
    state = await tell(engine, workspace, execution, CancelRequested(by, reason))
    if state.closed:
        raise Conflict(f"The execution is over already: {state.status}.")
