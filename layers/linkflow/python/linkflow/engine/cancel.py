"""Cancelling: news that is written into the book by whoever brings it, so that no visit can miss it."""

from linkflow.engine.engine import Engine
from linkflow.engine.wakes import wake
from linkflow.errors import Conflict, NotFound
from linkflow.execution.advance import accepts
from linkflow.execution.events import CancelRequested
from linkflow.execution.evolve import evolve


async def cancel(engine: Engine, workspace: str, execution: str, by: str, reason: str) -> None:
    """Ask the execution to end. Asking again changes nothing. Raises `NotFound`, and `Conflict` when it is over."""
    while True:
        book = await engine.books.load(workspace, execution)
        if book is None:
            raise NotFound("execution", execution)
        if book.state.closed:
            raise Conflict(f"The execution is over already: {book.state.status}.")
        request = CancelRequested(by, reason)
        if not accepts(book.state, request):
            return
        now = engine.clock.now()
        evolve(book.state, request, now)
        if await engine.books.append(book, [request], now, [wake(workspace, execution)]):
            return
