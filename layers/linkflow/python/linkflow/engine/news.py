"""News from outside a visit: written into the book by whoever brings it, so that no visit can miss it.

A visit under way notices within moments (`Limits.notice`, or at its next put); otherwise the lane brings one.
"""

from linkflow.engine.engine import Engine
from linkflow.engine.wakes import wake
from linkflow.errors import NotFound
from linkflow.execution.advance import admit
from linkflow.execution.events import News
from linkflow.execution.state import State


async def tell(engine: Engine, workspace: str, execution: str, news: News) -> State:
    """Tell the execution, if it still cares: late and repeated news changes nothing. Its state, as it was when the
    news came. Raises `NotFound`."""
    while True:
        book = await engine.books.load(workspace, execution)
        if book is None:
            raise NotFound("execution", execution)
        state, now = book.state, engine.clock.now()
        program = await engine.programs.get(workspace, state.names.workflow_id, state.version, state.program)
        event = admit(program, state, news, now)
        if event is None or await engine.books.append(book, [event], now, [wake(workspace, execution)]):
            return state
