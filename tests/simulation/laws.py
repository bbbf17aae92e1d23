"""What must hold of every story, whatever befell it. Each law says in words how it was broken.

 1. Nothing is stuck: once faults stop, everything ends within bounded time, and all queues are empty.
 2. Accepted is never lost: who was answered 2xx finds one execution, the same for the same key; one that is refused
    leaves nothing.
 3. Every execution comes to what the same start comes to where nothing happens (or what timing permits: an execution
    that was cancelled, or in which a task was given up because its processes died, may end otherwise).
 4. Books have no gaps; what they hold, replayed turn by turn, is the state that loading gives, snapshots included.
 5. A closed execution owes nothing, waits for nothing, and hears nothing any more.
 6. No completion is recorded twice, none for another task.
 7. Every effect outside carries its key: one for each entry into a state, shared by no other; every attempt of an entry
    asks the same.
 8. What must run at most once an attempt does.
 9. Children are begun once, by the task that begins them; none outlives a parent that waits for it.
10. Summaries say what books say.
11. While one workspace is served, nothing of another is touched.
12. No task fails for a bug of ours, and nobody outside is answered by one.
14. No more executions of a workflow run at once than may.
13. Waits end at their moment: never before, within seconds where nothing happens, and always within the time of
    repairs.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

from linkflow.engine.children import child_id
from linkflow.errors import LinkFlowError
from linkflow.execution import events as e
from linkflow.execution.advance import advance, next_moment, owed, run_task
from linkflow.execution.evolve import evolve
from linkflow.execution.failures import INTERRUPTED
from linkflow.execution.queueing import ExecutionAdmitted
from linkflow.execution.signals import SignalReceived
from linkflow.execution.state import Iterations, Scope, State
from linkflow.language.json import Json
from linkflow.language.program import Program
from linkflow.stores.books import Books, Numbered
from linkflow.stores.records import Summary
from tests.simulation.outside import AskedOnce
from tests.simulation.ports import NOT_DONE
from tests.simulation.story import Played

Entry = tuple[int, int, int]
"""A scope, which of its entries into a state, and of a Map that writes the how-manieth request."""
_ENDED = ("cancelled", "timed_out", "terminated")
"""What ran when this came may not be in the book. (With recording in groups, nor what others interrupt.)"""
OUTLIVES = 600.0
"""Seconds by which a child is surely ended after its parent, clocks that go wrong included."""
OUTCOMES = (e.TaskSucceeded, e.TaskFailed, e.TaskTimedOut)


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


async def broken(played: Played, expected: Mapping[int, End]) -> list[str]:
    """The laws that this story breaks; none when all is well. `expected` is by entrance."""
    if played.surprises:
        return [f"12. A visitor was answered by {surprise}" for surprise in played.surprises]
    if played.stuck:
        return [f"1. It is stuck: {line}" for line in await _what_is_stuck(played)]
    found = [f"11. {trespass}." for trespass in played.trespasses]
    try:
        books = {summary.execution: await _read(played, summary) for summary in played.summaries}
    except (KeyError, AssertionError) as error:
        return [f"4. A book cannot be read: {error!r}"]
    for name, book in books.items():
        found += [f"{law} ({name})" for law in (*_book_is_broken(book), *_moments_are_missed(book, played.latest))]
    found += _accepted_is_lost(played, books)
    found += _ends_otherwise(played, books, expected)
    found += _effects_are_wrong(played, books)
    found += _limits_are_exceeded(played, books)
    found += _children_are_wrong(books)
    return found


async def ends(played: Played) -> dict[int, End]:
    """What every entrance came to."""
    by_key = {reply.visitor.entrance: reply.execution for reply in played.replies if reply.execution}
    states = {one.execution: (await _read(played, one)).state for one in played.summaries}
    return {number: End(states[name].status, states[name].output) for number, name in by_key.items()}


async def _what_is_stuck(played: Played) -> list[str]:
    said = [
        f"{one.execution} of '{one.workflow}' is {one.status}" for one in played.summaries if one.status == "running"
    ]
    return said or ["a queue never empties, or somebody is never answered"]


async def _read(played: Played, summary: Summary) -> Read:
    books = Books(played.stores.table, played.stores.blobs)
    turns: list[Numbered] = []
    while more := await books.turns(summary.workspace, summary.execution, turns[-1].number if turns else -1):
        turns += more
    book = await books.load(summary.workspace, summary.execution)
    assert book is not None
    return Read(summary, played.compiled[book.state.program], book.state, turns)


def _book_is_broken(book: Read) -> Iterator[str]:
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
                book.keys[_entry(scope)].add(run_task(book.program, state, scope).key)
    state.resume()
    if msgspec.json.encode(state) != msgspec.json.encode(book.state):
        yield "4. What is loaded is not what the turns come to"
    yield from _goes_on(book)
    yield from _completed_twice(book)
    summary, failure = book.summary, state.failure.error if state.failure else None
    told = (summary.status, summary.closed_at, summary.error, summary.check_at)
    if told != (state.status, state.closed_at, failure, None):
        yield f"10. The summary says {told}, the book {(state.status, state.closed_at, failure, None)}"


def _entry(scope: Scope) -> Entry:
    written = scope.composite.written if isinstance(scope.composite, Iterations) else 0
    return scope.id, scope.entered_id, written


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


def _moments_are_missed(book: Read, latest: float) -> Iterator[str]:
    awaited: dict[int, float] = {}
    for one in book.turns:
        for event in one.turn.events:
            match event:
                case e.WaitStarted() | e.RetryScheduled():
                    awaited[event.scope] = event.until
                    if isinstance(event, e.RetryScheduled) and event.until < one.turn.at:
                        yield f"13. The pause of scope {event.scope} ends before it begins"
                case e.MomentReached():
                    late = one.turn.at - awaited.pop(event.scope, one.turn.at)
                    if not 0 <= late <= latest:
                        yield f"13. Scope {event.scope} goes on {late:.1f} s after its moment"
                case _:
                    pass


def _accepted_is_lost(played: Played, books: Mapping[str, Read]) -> Iterator[str]:
    given: defaultdict[int, set[str]] = defaultdict(set)
    for reply in played.replies:
        hooked = played.cast.parts[played.cast.entrances[reply.visitor.entrance].part].hook is not None
        if reply.visitor.deed == "start otherwise" and reply.kind != "refused" and not hooked:
            yield f"2. Another request with a used key was '{reply.kind}'"
        elif reply.visitor.deed == "start" and reply.kind == "refused":
            yield f"2. A start was refused: {reply.body}"
        elif reply.execution is not None:
            given[reply.visitor.entrance].add(reply.execution)
            if reply.execution not in books:
                yield f"2. {reply.execution} was accepted, and is not there"
    for entrance, executions in given.items():
        if len(executions) > 1:
            yield f"2. The key of entrance {entrance} stands for {sorted(executions)}"


def _ends_otherwise(played: Played, books: Mapping[str, Read], expected: Mapping[int, End]) -> Iterator[str]:
    """Where a child gave a task up, its parents may come to anything."""
    if any(book.gave_up and book.state.parent is not None for book in books.values()):
        return
    for reply in played.replies:
        if reply.visitor.deed != "start" or reply.execution is None or reply.execution not in books:
            continue
        entrance = played.cast.entrances[reply.visitor.entrance]
        part, book, end = played.cast.parts[entrance.part], books[reply.execution], expected[entrance.number]
        if part.promise == "end" or book.gave_up:
            continue
        if book.state.status in ("cancelled", "terminated") and _was_to_end(played, reply.visitor.entrance):
            continue
        if book.state.status != end.status:
            why = book.state.failure
            yield f"3. {reply.execution} of '{part.name}' is {book.state.status} ({why}), and should be {end.status}"
        elif part.promise == "result" and book.state.output != end.output:
            yield f"3. {reply.execution} of '{part.name}' came to {book.state.output}, and should to {end.output}"
        if reply.kind == "200" and part.promise == "result" and reply.body != end.output:
            yield f"3. A webhook was answered 200 with {reply.body}, and should with {end.output}"


def _was_to_end(played: Played, entrance: int) -> bool:
    """Whether somebody came to end it."""
    return any(one.entrance == entrance and one.deed in ("cancel", "terminate") for one in played.plan.visitors)


def _limits_are_exceeded(played: Played, books: Mapping[str, Read]) -> Iterator[str]:
    """By when the turns were put that admit an execution and close it."""
    put: dict[str, float] = {}
    for line in played.weather.lines:
        if line.what == "table.put" and line.outcome != NOT_DONE:
            put.setdefault(line.subject, line.at)
    for part, workflow in zip(played.cast.parts, played.workflows, strict=True):
        if part.limit is None:
            continue
        moments: list[tuple[float, int]] = []
        for name, book in books.items():
            events = ((one.number, event) for one in book.turns for event in one.turn.events)
            admitted = [number for number, event in events if isinstance(event, ExecutionAdmitted)]
            if book.summary.workflow == workflow.id and admitted:
                where = f"EXEC#{part.workspace}#{name} TURN#"
                moments.append((put[f"{where}{admitted[0]:08d}"], 1))
                moments.append((put[f"{where}{book.turns[-1].number:08d}"], -1))
        running = 0
        for _, step in sorted(moments):
            running += step
            if running > part.limit:
                yield f"14. {running} executions of '{part.name}' ran at once, and {part.limit} may"


def _effects_are_wrong(played: Played, books: Mapping[str, Read]) -> Iterator[str]:
    entries: defaultdict[str, set[tuple[str, Entry]]] = defaultdict(set)
    for name, book in books.items():
        for entry, keys in book.keys.items():
            for key in keys:
                entries[key].add((name, entry))
    for key, where in entries.items():
        if len(where) > 1:
            yield f"7. The key {key} is shared by {sorted(where)}"
    asked: defaultdict[str, set[bytes]] = defaultdict(set)
    attempts: Counter[tuple[str, int]] = Counter()
    for effect in played.outside.effects:
        asked[effect.key].add(effect.path.encode() + (b"" if effect.path.startswith("/later") else effect.content))
        attempts[effect.key, effect.attempt] += effect.path.startswith(f"/{AskedOnce.type}")
        whose = books.get(effect.key.partition("-")[0])
        if whose is None:
            yield f"7. An effect has the key {effect.key!r}, which is of no execution"
        elif effect.key not in entries and whose.state.status not in _ENDED and whose.program.durability == "step":
            yield f"7. An effect has the key {effect.key!r}, which is of no task"
    for key, contents in asked.items():
        if len(contents) > 1:
            yield f"7. With the key {key} different things were asked"
    for attempt, times in attempts.items():
        if times > 1:
            yield f"8. {attempt} ran {times} times"


def _children_are_wrong(books: Mapping[str, Read]) -> Iterator[str]:
    """Tasks of an execution that was ended may have run and not be in its book."""
    children = {
        child_id(name, task): name
        for name, book in books.items()
        for task in (book.tasks if book.state.status in ("succeeded", "failed") else range(1, 40))
    }
    for name, book in books.items():
        parent = book.state.parent
        if book.summary.trigger not in ("called", "map"):
            continue
        begun_by = books.get(parent.execution if parent is not None else children.get(name, ""))
        if begun_by is None or (name not in children and begun_by.state.status == "succeeded"):
            yield f"9. {name} was begun by nobody"
    waited = Counter((one.state.parent.execution, one.state.parent.task) for one in books.values() if one.state.parent)
    for (parent_name, task), times in waited.items():
        if times > 1:
            yield f"9. Task {task} of {parent_name} began {times} children"
    for name, book in books.items():
        waiting = books.get(book.state.parent.execution) if book.state.parent is not None else None
        if waiting is not None and (book.state.closed_at or 0.0) > (waiting.state.closed_at or 0.0) + OUTLIVES:
            yield f"9. {name} went on after {waiting.summary.execution}, for which it ran, was over"
