"""News from outside a visit: written into the book by whoever brings it, so that no visit can miss it.

A visit under way notices within moments (`Limits.notice`, or at its next put); otherwise the lane brings one.
"""

from collections.abc import Sequence

from linkflow.engine.engine import Engine
from linkflow.engine.wakes import wake
from linkflow.errors import NotFound
from linkflow.execution.advance import admit
from linkflow.execution.events import ExecutionTerminated, LeaseLapsed, News, TaskStarted
from linkflow.execution.state import State


async def tell(engine: Engine, workspace: str, execution: str, news: News) -> State:
    """Tell the execution, if it still cares: late and repeated news changes nothing, but that an open execution is
    woken once more, in case whoever wrote it before died between the write and the wake. Its state, as it was when
    the news came. Raises `NotFound`."""

    async def write(batch: Sequence[News]) -> State:
        return await _written(engine, workspace, execution, batch)

    return await engine.letters.send(execution, news, write)


async def _written(engine: Engine, workspace: str, execution: str, batch: Sequence[News]) -> State:
    while True:
        book = await engine.books.load(workspace, execution)
        if book is None:
            raise NotFound("execution", execution)
        state, now = book.state, engine.clock.now()
        program = await engine.programs.get(workspace, state.names.workflow_id, state.version, state.program)
        admitted = [event for news in batch if (event := admit(program, state, news, now)) is not None]
        if not admitted:
            await _wake_again(engine, workspace, execution, state, batch)
            return state
        sends = [wake(workspace, execution)] if any(_moves(state, event) for event in admitted) else []
        if await engine.books.append(book, admitted, now, sends):
            return state


async def _wake_again(engine: Engine, workspace: str, execution: str, state: State, batch: Sequence[News]) -> None:
    """Who repeats himself may have died between his write and its message. One that was terminated is over by that
    write, but its visit has yet to tell others so."""
    ended = any(isinstance(news, ExecutionTerminated) for news in batch)
    if ended or (not state.closed and any(_moves(state, news) for news in batch)):
        await engine.queue.send([wake(workspace, execution)])


def _moves(state: State, event: News) -> bool:
    """Whether somebody must look at the execution because of this. That a remote worker took a task or lost it moves
    nothing, unless signs of life are counted from then on."""
    match event:
        case TaskStarted():
            scope = state.scopes.get(event.scope)
            return scope is not None and scope.task is not None and scope.task.beat is not None
        case LeaseLapsed():
            return False
        case _:
            return True
