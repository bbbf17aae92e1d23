"""Ending an execution: the wish is news like any other, but one for an execution that is over comes too late."""

from linkflow.engine.engine import Engine
from linkflow.engine.news import tell
from linkflow.errors import Conflict
from linkflow.execution.events import CancelRequested, ExecutionTerminated
from linkflow.execution.state import State


async def cancel(engine: Engine, workspace: str, execution: str, by: str, reason: str, request: str = "") -> None:
    """Ask the execution to end: its handlers for that may run before. The same `request` heard again changes nothing,
    another one ends clean-up at once. Raises `NotFound`, and `Conflict` when it is over."""
    still_open(await tell(engine, workspace, execution, CancelRequested(by, reason, request)))


async def terminate(
    engine: Engine, workspace: str, execution: str, by: str, reason: str, reset_to: str | None = None
) -> None:
    """End the execution at once; nothing of it runs any more. Raises `NotFound`, and `Conflict` when it was over in any
    other way."""
    state = await tell(engine, workspace, execution, ExecutionTerminated(by, reason, reset_to))
    if state.status != "terminated":
        still_open(state)


def still_open(state: State) -> None:
    """Raises `Conflict`."""
    if state.closed:
        goes_on = f" It goes on as {state.successor}." if state.successor else ""
        raise Conflict(f"The execution is over already: {state.status}.{goes_on}")
