"""Laws of one book: it is whole, replays, closes for good, records nothing twice, and keeps its moments."""

from collections import Counter
from collections.abc import Iterator

import msgspec

from linkflow.errors import LinkFlowError
from linkflow.execution import events as e
from linkflow.execution.advance import advance, next_moment, owed, run_task
from linkflow.execution.evolve import evolve
from linkflow.execution.signals import SignalReceived
from linkflow.execution.state import State
from tests.simulation.laws.reading import Read, entry_of

OUTCOMES = (e.TaskSucceeded, e.TaskFailed, e.TaskTimedOut)


def book_is_broken(book: Read) -> Iterator[str]:
    numbers = [one.number for one in book.turns]
    if numbers != list(range(len(numbers))):
        yield f"4. The book has gaps: {numbers}"
        return
    state = State()
    for one in book.turns:
        for event in one.turn.events:
            try:
                evolve(state, event, one.turn.at)
            except (KeyError, AssertionError, LinkFlowError) as error:
                yield f"4. Turn {one.number} cannot follow: {type(event).__name__}, {error!r}"
                return
            if isinstance(event, e.TaskScheduled):
                scope = state.scopes[event.scope]
                book.keys[entry_of(scope)].add(run_task(book.program, state, scope).key)
    state.resume()
    if msgspec.json.encode(state) != msgspec.json.encode(book.state):
        yield "4. What is loaded is not what the turns come to"
    yield from _goes_on(book)
    yield from _completed_twice(book)
    summary, failure = book.summary, state.failure.error if state.failure else None
    told = (summary.status, summary.closed_at, summary.error, summary.check_at)
    if told != (state.status, state.closed_at, failure, None):
        yield f"10. The summary says {told}, the book {(state.status, state.closed_at, failure, None)}"


def _goes_on(book: Read) -> Iterator[str]:
    state = book.state
    if not state.closed:
        yield f"1. It is {state.status} although the summary says {book.summary.status}"
        return
    if owed(book.program, state) or state.scopes or state.moments or next_moment(state) is not None:
        yield "5. It is closed, and still owes or waits"
    late: list[e.News] = [event for event in book.events if isinstance(event, OUTCOMES)]
    if advance(book.program, state, [*late, e.CancelRequested("late"), e.VisitResumed((1,))], 9e9):
        yield "5. It is closed, and still hears"


def _completed_twice(book: Read) -> Iterator[str]:
    scheduled: dict[int, int] = {}
    ended: Counter[int] = Counter()
    heard: Counter[str] = Counter()
    for event in book.events:
        match event:
            case e.TaskScheduled():
                if event.task in scheduled:
                    yield f"6. Task {event.task} is scheduled twice"
                scheduled[event.task] = event.scope
                book.tasks.append(event.task)
            case SignalReceived():
                heard[event.id] += 1
            case e.TaskSucceeded() | e.TaskFailed() | e.TaskTimedOut():
                ended[event.task] += 1
                if scheduled.get(event.task) != event.scope:
                    yield f"6. Task {event.task} has an outcome of another scope"
                if isinstance(event, e.TaskFailed) and event.error == "LinkFlow.NodeBroke":
                    yield f"12. Task {event.task} failed for a bug of ours"
            case _:
                pass
    if twice := [task for task, times in ended.items() if times > 1]:
        yield f"6. Tasks {twice} are completed twice"
    if again := [name for name, times in heard.items() if times > 1]:
        yield f"6. Signals {again} are heard twice"
    for entry, keys in book.keys.items():
        if len(keys) > 1:
            yield f"7. The entry {entry} has the keys {sorted(keys)}"


def moments_are_missed(book: Read, latest: float, wrong: float) -> Iterator[str]:
    """`wrong`: seconds by which clocks differ. (A pause may be over when its turn is put: a turn waits for what runs,
    and is told again when others wrote.)"""
    awaited: dict[int, float] = {}
    failed: dict[int, float] = {}
    for one in book.turns:
        for event in one.turn.events:
            match event:
                case e.TaskFailed():
                    failed[event.scope] = event.finished
                case e.WaitStarted() | e.RetryScheduled():
                    awaited[event.scope] = event.until
                    if isinstance(event, e.RetryScheduled) and event.until < failed.pop(event.scope, 0.0) - wrong:
                        yield f"13. The pause of scope {event.scope} ends before the failure that it follows"
                case e.MomentReached():
                    late = one.turn.at - awaited.pop(event.scope, one.turn.at)
                    if not 0 <= late <= latest:
                        yield f"13. Scope {event.scope} goes on {late:.1f} s after its moment"
                case _:
                    pass
