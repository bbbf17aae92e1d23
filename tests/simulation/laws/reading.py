"""Books as the laws read them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from linkflow.execution import events as e
from linkflow.execution.failures import INTERRUPTED
from linkflow.execution.state import Iterations, Scope, State
from linkflow.language.json import Json
from linkflow.language.program import Program
from linkflow.stores import keys
from linkflow.stores.books import Books, Numbered
from linkflow.stores.records import Summary
from tests.simulation.played import Played
from tests.simulation.ports import NOT_DONE

Entry = tuple[int, int, int]
"""A scope, which of its entries into a state, and of a Map that writes the how-manieth request."""

ENDED = ("cancelled", "timed_out", "terminated")
"""What ran when this came may not be in the book."""


@dataclass(frozen=True, slots=True)
class End:
    """What an execution came to."""

    status: str
    output: Json


@dataclass(slots=True)
class Read:
    """A book as it was read: `keys` are the idempotency keys of its tasks by entry,
    `tasks` those that were scheduled."""

    summary: Summary
    program: Program
    state: State
    turns: list[Numbered]
    keys: dict[Entry, set[str]] = field(default_factory=lambda: defaultdict(set))
    tasks: list[int] = field(default_factory=list)

    @property
    def events(self) -> Iterator[e.Event]:
        return (event for one in self.turns for event in one.turn.events)

    @property
    def gave_up(self) -> bool:
        return any(isinstance(event, e.TaskFailed) and event.error == INTERRUPTED for event in self.events)


async def read(played: Played, summary: Summary) -> Read:
    books = Books(played.stores.table, played.stores.blobs)
    turns: list[Numbered] = []
    while more := await books.turns(summary.workspace, summary.execution, turns[-1].number if turns else -1):
        turns += more
    book = await books.load(summary.workspace, summary.execution)
    assert book is not None
    return Read(summary, played.compiled[book.state.program], book.state, turns)


def entry_of(scope: Scope) -> Entry:
    written = scope.composite.written if isinstance(scope.composite, Iterations) else 0
    return scope.id, scope.entered_id, written


Written = Mapping[str, float]
"""When each item was put for the first time, by its key."""


def written(played: Played) -> Written:
    put: dict[str, float] = {}
    for line in played.weather.lines:
        if line.what in ("table.put", "table.transact") and line.outcome != NOT_DONE:
            for key in line.subject.split(", "):
                put.setdefault(key, line.at)
    return put


def turn_written(put: Written, book: Read, number: int) -> float:
    """The moment of a turn; the opening stands in the summary."""
    key = keys.turn(book.summary.workspace, book.summary.execution, number)
    if number == 0:
        key = keys.summary(book.summary.workspace, book.summary.execution)
    return put[f"{key.pk} {key.sk}"]


def span(put: Written, book: Read) -> tuple[float, float]:
    """From when to when it was open."""
    return turn_written(put, book, 0), turn_written(put, book, book.turns[-1].number)


def at_once(spans: Sequence[tuple[float, float]]) -> int:
    """How many of these there were at the same time, at most."""
    moments = sorted((moment, step) for begin, end in spans for moment, step in ((begin, 1), (end, -1)))
    return max(accumulate(step for _, step in moments), default=0)


def wrong_clocks(played: Played) -> float:
    """Seconds by which the clocks of two processes may differ."""
    jumps = sum(one.seconds for one in played.plan.happenings if one.kind == "jump")
    return jumps + 2 * max(abs(skew) for skew in played.plan.skews)


def lineage(book: Read, books: Mapping[str, Read]) -> Iterator[Read]:
    """It and those that went on in one another up to it, the last first."""
    while True:
        yield book
        before = book.state.continued_from if book.state.reset_of is None else book.state.reset_of.execution
        if before is None or before not in books:
            return
        book = books[before]


def origin(book: Read, books: Mapping[str, Read]) -> Read:
    """The first of them."""
    *_, first = lineage(book, books)
    return first
