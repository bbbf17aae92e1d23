"""Ending an execution: the wish is news like any other, but one for an execution that is over comes too late."""

import contextlib

from linkflow.engine.engine import Engine
from linkflow.engine.news import tell
from linkflow.errors import Conflict, NotFound
from linkflow.execution.events import CancelRequested, ExecutionTerminated, ResetOf
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


async def give_way(engine: Engine, workspace: str, old: str, new: str, by: str, reason: str) -> None:
    """End the old execution, which says that the `new` one, a reset of it, took its place."""
    with contextlib.suppress(Conflict, NotFound):
        await terminate(engine, workspace, old, by, reason or f"Reset: {new} took its place.", new)
    await engine.summaries.replaced(workspace, old, new)


async def settle(engine: Engine, workspace: str, execution: str, of: ResetOf | None) -> None:
    """The first thing that is done with an execution that is a reset `of` another: see that the other is over."""
    if of is not None:
        await give_way(engine, workspace, of.execution, execution, "reset", "")


def still_open(state: State) -> None:
    """Raises `Conflict`."""
    if state.closed:
        goes_on = f" It goes on as {state.successor}." if state.successor else ""
        raise Conflict(f"The execution is over already: {state.status}.{goes_on}")
