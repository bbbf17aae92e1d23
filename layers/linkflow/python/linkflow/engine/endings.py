"""What is owed to others when an execution is over. All of it may be repeated, and is, until the last part was done.

The summary is closed after everything that only this execution knows of was begun: until then the watchdog comes back.
What comes behind it concerns executions that the lane drives, whose message comes back; a business key that is not
given back is taken from who is over.
"""

from linkflow.engine import chain, children, claims
from linkflow.engine.admission import Asking, release
from linkflow.engine.closed import announce
from linkflow.engine.engine import Engine
from linkflow.engine.schedules import next_in_line
from linkflow.language.program import Program
from linkflow.stores.books import Book


async def finish(engine: Engine, program: Program, book: Book, *, again: bool) -> None:
    """Hand on its slots, begin the successor, tell whoever listens, close the summary, tell whoever waits, give back
    the business key. `again`: a visit before may have died of it."""
    workspace, execution, state = book.workspace, book.execution, book.state
    if program.limits:
        await release(engine, program, Asking(workspace, execution, state, again))
    successor = await chain.succeed(engine, workspace, execution, state)
    if successor is None:
        await announce(engine, program, workspace, execution, state)
    summary = await engine.summaries.close(workspace, execution, state, book.summary)
    engine.closings.tell(execution, state)
    if successor is None:
        await children.report(engine, workspace, state)
        await next_in_line(engine, workspace, state)
        if summary is not None and summary.unique:
            await claims.give_back(engine, summary)
