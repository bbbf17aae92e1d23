"""Executions as users see them."""

from functions.api.executions.schemas import SendSignal
from linkflow import ids
from linkflow.engine.results import await_news, await_result
from linkflow.errors import Broken, NotFound
from linkflow.execution.events import ExecutionStarted, SignalReceived
from linkflow.execution.history import HistoryEvent, history
from linkflow.execution.state import State
from linkflow.execution.timeline import Entry, timeline
from linkflow.runtime.wiring import World
from linkflow.search import Query
from linkflow.stores import keys
from linkflow.stores.books import Numbered
from linkflow.stores.records import Summary

CLOSING = frozenset(
    {
        "ExecutionSucceeded",
        "ExecutionFailed",
        "ExecutionTimedOut",
        "ExecutionCancelled",
        "ExecutionTerminated",
        "ExecutionContinued",
    }
)
"""Types of the events behind which nothing comes."""


async def finished(world: World, workspace: str, execution: str, wait: float) -> State | None:
    """The closed execution, if it closes within `wait` seconds."""
    return await await_result(world.engine, workspace, execution, wait) if wait > 0 else None


def told(world: World, body: SendSignal, by: str) -> SignalReceived:
    """A signal without an id gets one, and cannot be repeated."""
    return SignalReceived(body.name, body.payload, body.id or world.ids.new(ids.SIGNAL), by)


async def detail(world: World, workspace: str, execution: str) -> tuple[State, list[Entry]]:
    """The execution with every node's entries. Raises `NotFound`."""
    turns = await all_turns(world, workspace, execution)
    return timeline((one.turn.at, one.turn.events) for one in turns)


async def aws_history(world: World, workspace: str, execution: str) -> list[HistoryEvent]:
    """The book in Step Functions' vocabulary. Raises `NotFound`."""
    turns = await all_turns(world, workspace, execution)
    started = turns[0].turn.events[0]
    if not isinstance(started, ExecutionStarted):
        raise Broken(f"The book of {execution} does not begin with its start.")
    program = await world.engine.programs.get(workspace, started.names.workflow_id, started.version, started.program)
    return history(program, [(one.turn.at, one.turn.events) for one in turns])


async def events(world: World, workspace: str, execution: str, after: int, limit: int, wait: float) -> list[Numbered]:
    """The turns behind `after`; waits up to `wait` seconds for one. Raises `NotFound`."""
    found = await world.engine.books.turns(workspace, execution, after, limit)
    if not found and await world.engine.books.last_number(workspace, execution) is None:
        raise NotFound("execution", execution)
    if not found and wait > 0:
        await await_news(world.engine, workspace, execution, after, wait)
        found = await world.engine.books.turns(workspace, execution, after, limit)
    return found


async def listed(
    world: World, workspace: str, limit: int, cursor: str | None, status: str | None, workflow: str | None
) -> tuple[list[Summary], str | None]:
    """Newest first, those that fit the filters."""
    query = Query(keys.listed_executions(workspace), statuses=(status,) if status else (), workflow=workflow)
    page = await world.engine.summaries.search(query, limit, cursor)
    return page.summaries, page.cursor


async def all_turns(world: World, workspace: str, execution: str) -> list[Numbered]:
    """The whole book. Raises `NotFound`."""
    turns = await world.engine.books.whole(workspace, execution)
    if not turns:
        raise NotFound("execution", execution)
    return turns
