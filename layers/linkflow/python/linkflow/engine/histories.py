"""Reading books: turn by turn in either direction, and in the words of Step Functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from linkflow.engine.engine import Engine
from linkflow.engine.results import await_news
from linkflow.errors import Broken, NotFound
from linkflow.execution.events import ExecutionStarted
from linkflow.execution.history import HistoryEvent, history
from linkflow.execution.replay import CLOSING
from linkflow.language.json import Json
from linkflow.stores.books import Numbered

_PAGE = 200


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as callers see it: `index` is its place in its turn."""

    turn: int
    index: int
    at: float
    type: str
    data: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Pages:
    """`first` and `last` are the numbers of the outermost turns shown; None where there are none. `closed`: the event
    that closes the execution is among them, or was before all that was asked for: nothing more will come."""

    events: Sequence[Recorded]
    first: int | None
    last: int | None
    closed: bool


async def forwards(engine: Engine, workspace: str, execution: str, after: int, limit: int, wait: float) -> Pages:
    """The turns behind `after`, oldest first; waits up to `wait` seconds for one. Raises `NotFound`."""
    found = await engine.books.turns(workspace, execution, after, limit)
    if found:
        return _pages(found)
    last = await engine.books.turns_back(workspace, execution, None, 1)
    if not last:
        raise NotFound("execution", execution)
    if last[0].number <= after and _closes(last):
        return Pages((), None, None, closed=True)
    if wait > 0:
        await await_news(engine, workspace, execution, after, wait)
        found = await engine.books.turns(workspace, execution, after, limit)
    return _pages(found)


async def backwards(engine: Engine, workspace: str, execution: str, before: int | None, limit: int) -> Pages:
    """The turns before number `before` (None: all), newest first. Raises `NotFound`."""
    found = await engine.books.turns_back(workspace, execution, before, limit)
    if not found and await engine.books.last_number(workspace, execution) is None:
        raise NotFound("execution", execution)
    return _pages(found)


async def all_turns(engine: Engine, workspace: str, execution: str) -> list[Numbered]:
    """The whole book. Raises `NotFound`."""
    turns: list[Numbered] = []
    while found := await engine.books.turns(workspace, execution, turns[-1].number if turns else -1, _PAGE):
        turns += found
    if not turns:
        raise NotFound("execution", execution)
    return turns


async def aws_history(engine: Engine, workspace: str, execution: str) -> list[HistoryEvent]:
    """The book in Step Functions' vocabulary. Raises `NotFound`."""
    turns = await all_turns(engine, workspace, execution)
    started = turns[0].turn.events[0]
    if not isinstance(started, ExecutionStarted):
        raise Broken(f"The book of {execution} does not begin with its start.")
    program = await engine.programs.get(workspace, started.names.workflow_id, started.version, started.program)
    return history(program, [(one.turn.at, one.turn.events) for one in turns])


def recorded(numbered: Numbered) -> list[Recorded]:
    found = []
    for index, event in enumerate(numbered.turn.events):
        data = msgspec.to_builtins(event)
        data.pop("salt", None)  # who has it can make up the execution's tokens
        found.append(Recorded(numbered.number, index, numbered.turn.at, data.pop("e"), data))
    return found


def _pages(turns: Sequence[Numbered]) -> Pages:
    numbers = [one.number for one in turns]
    events = [event for one in turns for event in recorded(one)]
    return Pages(events, min(numbers, default=None), max(numbers, default=None), _closes(turns))


def _closes(turns: Sequence[Numbered]) -> bool:
    return any(isinstance(event, CLOSING) for one in turns for event in one.turn.events)
