"""How a visit parts from an execution that is still open: never without something that brings the next one.

    there is more to do       a wake in the lane
    a moment that is near     an alarm
    all else                  the watchdog's index: to be looked at before a far moment, or from time to time

Messages are as durable as items, so what moves, or soon does, costs the index nothing. What is paused is in it in any
case: there those who let many go find it.
"""

from linkflow.engine.engine import Engine
from linkflow.engine.wakes import LOOK_AGAIN, SOON, is_near, look_before, ring, wake
from linkflow.stores.books import Book


async def part(engine: Engine, book: Book, moment: float | None, *, goes_on: bool) -> None:
    """`moment`: when something is due by the clock. Repeating it is harmless."""
    workspace, execution, now = book.workspace, book.execution, engine.clock.now()
    if goes_on:
        await engine.queue.send([wake(workspace, execution)])
    if goes_on or book.state.closed:
        return
    paused = book.state.paused is not None
    near = moment is not None and is_near(moment, now)
    if moment is not None and near:
        await engine.queue.send([ring(workspace, execution, moment, now)])
    if paused or not near:
        look = now + (SOON if paused else LOOK_AGAIN) if moment is None or near else look_before(moment)
        await engine.summaries.check_by(workspace, execution, look, now, book.summary)
