"""Taking an execution up again from some point of its book: a new execution whose book begins with the old one's.

    old book   0 1 2 3 4 5 6        the opening is the new one's own (names, deadline, and of which execution it is),
    new book   0'1 2 3 + reset      turns keep their numbers, and what was open is owed anew, with new keys

The copied turns are written first and the summary last, so there is no such execution until it is whole; with the same
request key its id is the same, and writing it again changes nothing. Then the old one is terminated, should it still be
open; a process that dies between leaves that to the new one's first visit, and to whoever takes its place. News that
the old one heard behind the cut is not told to the new one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from msgspec.structs import replace

from linkflow import ids
from linkflow.engine import claims
from linkflow.engine.cancel import give_way, settle
from linkflow.engine.engine import Engine
from linkflow.engine.start import WATCH_AFTER
from linkflow.engine.wakes import first_wake, wake
from linkflow.errors import Broken, Conflict, Fault, Invalid, NotFound
from linkflow.execution.events import Event, ExecutionReset, ExecutionStarted, ResetOf
from linkflow.execution.evolve import evolve
from linkflow.execution.replay import ENDING, Placed, before_entry, first_divergence, placed, whole
from linkflow.execution.state import State
from linkflow.stores.books import Book, Turn

_PAGE = 200


@dataclass(frozen=True, slots=True)
class Reset:
    """To where: behind event `index` of `turn` (None: all of that turn), or before the last entry into `node`.
    `version`: by which version of the workflow the new execution goes on. `key`: the same gives the same execution."""

    turn: int | None = None
    index: int | None = None
    node: str | None = None
    version: Literal["same", "newest"] = "same"
    by: str = ""
    reason: str = ""
    key: str | None = None


async def reset(engine: Engine, workspace: str, execution: str, wish: Reset) -> str:
    """The new execution's id. Raises `NotFound`, `Invalid` for a place that is none, and `Conflict` where nothing can
    go on from there, the newest version would have decided otherwise, or the key was used for another reset."""
    book = await _whole_book(engine, workspace, execution)
    kept = _kept(book, wish)
    started = await _opening(engine, workspace, execution, wish, kept)
    new = started.names.execution_id
    before = await engine.books.load(workspace, new)
    if before is not None and before.state.reset_of is not None and before.state.reset_of != started.reset_of:
        raise Conflict("This Idempotency-Key was used for another reset; use a new one for each.")
    await settle(engine, workspace, execution, _begun(kept).reset_of)
    await _write(engine, execution, started, kept)
    await give_way(engine, workspace, execution, new, wish.by, wish.reason)
    return new


async def _whole_book(engine: Engine, workspace: str, execution: str) -> list[Placed]:
    turns: list[tuple[int, float, Sequence[Event]]] = []
    while found := await engine.books.turns(workspace, execution, turns[-1][0] if turns else -1, _PAGE):
        turns += [(one.number, one.turn.at, one.turn.events) for one in found]
    if not turns:
        raise NotFound("execution", execution)
    return placed(turns)


def _kept(book: Sequence[Placed], wish: Reset) -> list[Placed]:
    length = _length(book, wish)
    over = next((position for position, one in enumerate(book) if isinstance(one.event, ENDING)), len(book))
    if length > over:
        last, ending = book[over - 1], type(book[over].event).__name__
        raise Conflict(
            f"Behind turn {last.turn}, event {last.index} the execution was ending ({ending}); nothing can go on from "
            "there. Choose that event, an earlier one, or a node."
        )
    return whole(book, length)


def _length(book: Sequence[Placed], wish: Reset) -> int:
    """How many events of the book are wanted."""
    if (wish.turn is None) == (wish.node is None):
        raise Invalid("The request", [Fault("$.body", "one_of", "Say either 'turn' (and 'index') or 'node'.")])
    if wish.node is not None:
        found = before_entry(book, wish.node)
        if found is None:
            raise Invalid("The request", [Fault("$.body.node", "never_entered", f"'{wish.node}' was never entered.")])
        return found
    places = [
        position
        for position, one in enumerate(book)
        if one.turn == wish.turn and (wish.index is None or one.index == wish.index)
    ]
    if not places:
        told = f"The book has no such event; its last turn is {book[-1].turn}."
        raise Invalid("The request", [Fault("$.body.turn", "no_such_event", told)])
    return places[-1] + 1


async def _opening(
    engine: Engine, workspace: str, execution: str, wish: Reset, kept: Sequence[Placed]
) -> ExecutionStarted:
    old, first, last = _begun(kept), kept[0], kept[-1]
    made = None if wish.key is None else ids.derived(ids.EXECUTION, execution, f"reset/{wish.key}")
    new, now = made or engine.ids.new(ids.EXECUTION), engine.clock.now()
    called = new if old.names.execution == execution else old.names.execution
    version, content = old.version, old.program
    if wish.version == "newest":
        version, content = await _newest(engine, workspace, old, kept)
    return replace(
        old,
        names=replace(old.names, execution_id=new, execution=called),
        version=version,
        program=content,
        deadline=None if old.deadline is None else now + old.deadline - (old.begins or first.at),
        salt=engine.ids.secret(),
        held_until=None,
        reset_of=ResetOf(execution, last.turn, last.index),
    )


def _begun(book: Sequence[Placed]) -> ExecutionStarted:
    if not isinstance(book[0].event, ExecutionStarted):
        raise Broken("A book does not begin with a start.")
    return book[0].event


async def _newest(engine: Engine, workspace: str, old: ExecutionStarted, kept: Sequence[Placed]) -> tuple[int, str]:
    """Number and hash of the newest version, if it would have recorded the same."""
    workflow = await engine.workflows.get(workspace, old.names.workflow_id)
    program = await engine.programs.numbered(workspace, workflow.id, workflow.version)
    other = None if program.hash == old.program else first_divergence(program, kept)
    if other is not None:
        raise Conflict(
            f"Version {workflow.version} would not have gone the same way: its first difference is turn {other.turn}, "
            f"event {other.index} ({type(other.event).__name__}). Reset to before that, or use the same version."
        )
    return workflow.version, program.hash


async def _write(engine: Engine, old: str, started: ExecutionStarted, kept: Sequence[Placed]) -> None:
    workspace, new, now = started.workspace, started.names.execution_id, engine.clock.now()
    book = Book(workspace, new, State())
    evolve(book.state, started, now)
    for one in kept[1:]:
        if one.turn == 0:
            evolve(book.state, one.event, one.at)
    for _, of_turn in groupby((one for one in kept if one.turn > 0), key=lambda one: one.turn):
        events = list(of_turn)
        for one in events:
            evolve(book.state, one.event, one.at)
        await _append(engine, book, events[0].at, [one.event for one in events])
    evolve(book.state, ExecutionReset(), now)
    await _append(engine, book, now, [ExecutionReset()])
    in_opening = (started, *(one.event for one in kept[1:] if one.turn == 0))
    opening = await engine.books.opening(workspace, new, Turn(now, in_opening))
    await _open(engine, old, started, opening)


async def _append(engine: Engine, book: Book, at: float, events: Sequence[Event]) -> None:
    """A turn that stands there is of an earlier attempt, and says the same. (A snapshot would not: it holds what each
    attempt draws anew for the opening.)"""
    if not await engine.books.append(book, events, at, bare=True):
        book.number += 1


async def _open(engine: Engine, old: str, started: ExecutionStarted, opening: bytes) -> None:
    workspace, new, now = started.workspace, started.names.execution_id, engine.clock.now()
    before = await engine.summaries.get(workspace, old)
    if before is None:
        raise NotFound("execution", old)
    unique = before.unique and before.status == "running"
    summary = replace(
        before,
        execution=new,
        version=started.version,
        started_at=now,
        status="running",
        closed_at=None,
        error=None,
        check_at=now + WATCH_AFTER if unique else None,
        unique=unique,
        reset_to="",
    )
    if summary.unique:
        await claims.hand_over(engine, before, summary, opening)
        await engine.queue.send([wake(workspace, new)])
    else:
        await engine.summaries.open(summary, opening, (first_wake(workspace, new),))
