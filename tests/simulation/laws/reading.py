"""Books as the laws read them."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from linkflow.execution import events as e
from linkflow.execution.failures import INTERRUPTED
from linkflow.execution.state import Iterations, Scope, State
from linkflow.language.json import Json
from linkflow.language.program import Program
from linkflow.stores.books import Books, Numbered
from linkflow.stores.records import Summary
from tests.simulation.played import Played

Entry = tuple[int, int, int]
"""A scope, which of its entries into a state, and of a Map that writes the how-manieth request."""


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
