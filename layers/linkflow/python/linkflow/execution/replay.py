"""A book taken up again: where it may be cut, and whether a program would have decided as it says.

What follows from news is decided for a scope at a time, several events at once, so a book cannot be cut just anywhere:
before news, before a moment that came, and between turns it can. A cut elsewhere goes back to the last of these; what
is left out is decided again, and so comes out the same.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from msgspec.structs import replace

from linkflow.execution import events as e
from linkflow.execution.advance import advance
from linkflow.execution.evolve import evolve
from linkflow.execution.state import State
from linkflow.language.program import Program

_NEWS = get_args(e.News)
_WHOLE_BEFORE = (*_NEWS, e.MomentReached)
_TOLD = (*_NEWS, e.ExecutionStarted, e.ExecutionQueued, e.ExecutionAdmitted, e.ExecutionReset)
"""What no program decides."""
CLOSING = (
    e.ExecutionSucceeded,
    e.ExecutionFailed,
    e.ExecutionTimedOut,
    e.ExecutionCancelled,
    e.ExecutionTerminated,
    e.ExecutionContinued,
)
"""The events behind which nothing comes."""
ENDING = (e.CancelRequested, e.CleanUpStarted, *CLOSING)
"""From one of these on there is nothing to go on from."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An event where it stands: number `index` of turn `turn`, recorded at the moment `at`."""

    turn: int
    index: int
    at: float
    event: e.Event


def placed(turns: Sequence[tuple[int, float, Sequence[e.Event]]]) -> list[Placed]:
    return [Placed(number, index, at, event) for number, at, events in turns for index, event in enumerate(events)]


def whole(book: Sequence[Placed], length: int) -> list[Placed]:
    """At most the first `length` events, cut where a book may be cut (never before its opening)."""
    while 1 < length < len(book):
        before, behind = book[length - 1], book[length]
        if isinstance(before.event, _NEWS) or isinstance(behind.event, _WHOLE_BEFORE) or behind.turn > before.turn:
            break
        length -= 1
    return list(book[: max(1, length)])


def before_entry(book: Sequence[Placed], node: str) -> int | None:
    """How many events come before the last entry into `node`. None: it was never entered."""
    for position in reversed(range(len(book))):
        event = book[position].event
        if isinstance(event, e.StateEntered) and event.state == node:
            return position
    return None


def first_divergence(program: Program, book: Sequence[Placed]) -> Placed | None:
    """The first event that `program` would not have recorded, given the same news at the same moments. Moments that
    were computed are not compared: a turn does not keep the exact time of each decision."""
    state, expected = State(), deque[e.Event]()
    for one in book:
        if isinstance(one.event, _TOLD):
            evolve(state, one.event, one.at)
            continue
        if not expected:
            expected.extend(advance(program, state, (), one.at))
        if not expected or _timeless(expected.popleft()) != _timeless(one.event):
            return one
    return None


def _timeless(event: e.Event) -> e.Event:
    match event:
        case e.WaitStarted() | e.RetryScheduled():
            return _without(event, "until")
        case e.TaskScheduled():
            return _without(event, "deadline")
        case _:
            return event


def _without(event: e.Event, moment: str) -> e.Event:
    return replace(event, **{moment: 0.0})
