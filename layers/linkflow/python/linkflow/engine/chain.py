"""Executions that go on in one another: one ends as `continued`, the next begins. (Or one was reset and terminated, and
the one that took its place is there already.)

The successor's id follows from the execution's, and what it begins with stands in the book that it continues; so
whoever finds a book that ends like this may begin it, and beginning it twice is beginning it once. It has the same
parent, business key, tags and attributes, and inherits the signals that nobody has read.
"""

import asyncio

from linkflow.engine import claims
from linkflow.engine.engine import Engine
from linkflow.engine.news import tell
from linkflow.engine.start import Start, opened
from linkflow.engine.wakes import wake
from linkflow.execution.events import SignalReceived
from linkflow.execution.state import State
from linkflow.language.program import Program, address_of
from linkflow.stores.books import Book


async def succeed(engine: Engine, workspace: str, execution: str, state: State) -> str | None:
    """Begin the execution that goes on in the place of this one; its id. None: none does."""
    if state.status == "terminated":
        return state.successor
    if state.status != "continued" or state.successor is None:
        return None
    old = await engine.summaries.get(workspace, execution)
    if old is None:
        return None
    if old.status != "running":
        return state.successor  # (its summary is closed behind all this; the message of another opening woke in vain)
    workflow = await engine.workflows.get(workspace, state.names.workflow_id)
    number = workflow.version if state.newest else state.version
    program = await engine.programs.numbered(workspace, workflow.id, number)
    request = Start(
        workflow,
        state.output,
        state.trigger,
        _node(program, state),
        old.name or None,
        execution=state.successor,
        parent=state.parent,
        version=number,
        business_key=old.business_key,
        tags=old.tags,
        attributes=old.attributes,
        priority=old.priority,
        continued_from=execution,
        chain=state.chain or execution,
        errors=state.errors,
    )
    summary, opening, sends = await opened(engine, request, state.successor, unique=old.unique)
    if old.unique:
        await claims.hand_over(engine, old, summary, opening)
        await engine.queue.send([wake(workspace, state.successor)])
    else:
        await engine.summaries.open(summary, opening, sends)
    await _hand_on(engine, workspace, state)
    return state.successor


async def _hand_on(engine: Engine, workspace: str, state: State) -> None:
    """What nobody has read is the successor's to read, in the same order. Told again, it is known by its ids."""
    unread = [SignalReceived(one.name, one.payload, one.id, one.by) for one in state.mailbox]
    await asyncio.gather(*(tell(engine, workspace, state.successor or "", one) for one in unread))


def _node(program: Program, state: State) -> str | None:
    """The trigger node it began at, if the program still has it."""
    if state.start_at is None or address_of("", "graph", state.start_at) in program.machines:
        return state.start_at
    return program.manual_start


async def newest(engine: Engine, workspace: str, execution: str) -> Book | None:
    """The last book of the chain that `execution` is in. None: there is no such execution."""
    book = await engine.books.load(workspace, execution)
    while book is not None:
        following = await succeed(engine, workspace, book.execution, book.state)
        if following is None:
            return book
        book = await engine.books.load(workspace, following)
    return None
