"""Drives the core alone: tasks are answered by the test, time is a number, and every step checks what must always hold:
the book, written and read as JSON, rebuilds the state that wrote it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from linkflow.execution.advance import advance, begin, next_moment, owed, unfinished
from linkflow.execution.commands import RunTask
from linkflow.execution.events import (
    Event,
    ExecutionStarted,
    Names,
    News,
    SignalReceived,
    StateEntered,
    TaskFailed,
    TaskSucceeded,
)
from linkflow.execution.evolve import evolve
from linkflow.execution.state import State
from linkflow.language.json import Json
from linkflow.language.program import Program

Answer = Callable[[RunTask], News]
_EVENTS = msgspec.json.Decoder(tuple[Event, ...])


def succeed(task: RunTask) -> News:
    return TaskSucceeded(task.scope, task.task, task.arguments)


def gives(result: Json) -> Answer:
    return lambda task: TaskSucceeded(task.scope, task.task, result)


def fails(error: str, *, retryable: bool = True) -> Answer:
    return lambda task: TaskFailed(task.scope, task.task, error, f"{error} happened", retryable=retryable)


@dataclass
class Run:
    program: Program
    now: float = 1_000.0
    book: list[tuple[float, Sequence[Event]]] = field(default_factory=list)
    state: State = field(default_factory=State)

    def start(
        self,
        given: Json = None,
        start_at: str | None = None,
        *,
        deadline: float | None = None,
        begins: float | None = None,
    ) -> "Run":
        names = Names("ex_1", "ex_1", "wf_1", "test")
        started = ExecutionStarted(given, names, "ws_1", 1, "hash", start_at=start_at, deadline=deadline, begins=begins)
        self.state, events = begin(self.program, started, self.now)
        return self._wrote(events)

    def tell(self, *news: News) -> "Run":
        return self._wrote(advance(self.program, self.state, news, self.now))

    def later(self, moment: float | None = None) -> "Run":
        """Time passes to `moment`, or to the next one that matters."""
        target = next_moment(self.state) if moment is None else moment
        assert target is not None, "nothing waits for a moment"
        self.now = target
        return self.tell()

    def owed(self) -> list[RunTask]:
        return owed(self.program, self.state)

    def finish(self, answer: Answer = succeed) -> "Run":
        """Answer every task, and let time pass, until the execution is closed."""
        while not self.state.closed:
            tasks = self.owed()
            if tasks:
                self.tell(answer(tasks[0]))
            elif self.state.receivers:
                self.tell(self.signal())
            else:
                self.later()
        return self

    def signal(self) -> SignalReceived:
        """One more signal for whoever waits."""
        name = next((scope.wanted.name for scope in self.state.scopes.values() if scope.wanted), "go")
        return SignalReceived(name, 1, f"{name}-{len(self.state.heard)}")

    def visited(self) -> list[str]:
        """The names of all states entered, in order, without the graph's own."""
        events = [event for _, turn in self.book for event in turn if isinstance(event, StateEntered)]
        return [event.state for event in events if event.state != "graph"]

    def _wrote(self, events: Sequence[Event]) -> "Run":
        self.book.append((self.now, events))
        while unfinished(self.state):
            self.book.append((self.now, advance(self.program, self.state, (), self.now)))
        self.state.resume()
        assert self.replayed() == self.state
        return self

    def replayed(self) -> State:
        state = State()
        for at, events in self.book:
            for event in _EVENTS.decode(msgspec.json.encode(tuple(events))):
                evolve(state, event, at)
        state.resume()
        return msgspec.json.decode(msgspec.json.encode(state), type=State)
