"""An execution as people see it: node by node, with input, output, attempts and times; a fold over its book.

Works for both dialects: what is told of is every entry into a state, in order, each with the scope it happened in.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from msgspec import UNSET

from linkflow.execution import events as e
from linkflow.execution.evolve import evolve
from linkflow.execution.failures import CANCELLED
from linkflow.execution.state import State
from linkflow.execution.tree import path
from linkflow.language.json import Json

Stage = Literal["running", "succeeded", "failed", "skipped", "aborted"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of a task. `started` and `finished` are moments, None while unknown."""

    number: int
    started: float | None = None
    finished: float | None = None
    error: str | None = None
    message: str | None = None


@dataclass(slots=True)
class Entry:
    """One entry into one node. `path` names the scopes around it: `each/3` is iteration 3 of `each`."""

    node: str
    path: str
    status: Stage
    entered_at: float
    exited_at: float | None = None
    input: Json = None
    output: Json = None
    exit: str | None = None
    error: str | None = None
    message: str | None = None
    waits_until: float | None = None
    attempts: list[Attempt] = field(default_factory=list)


def timeline(turns: Iterable[tuple[float, Sequence[e.Event]]]) -> tuple[State, list[Entry]]:
    """The state and the entries after all `turns`, each a moment and its events, from the opening on."""
    state, fold = State(), _Fold()
    for at, events in turns:
        for event in events:
            fold.before(state, event, at)
            evolve(state, event, at)
            fold.after(state, event, at)
    return state, fold.entries


class _Fold:
    """`open` maps a scope to the entry it is in."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.open: dict[int, Entry] = {}

    def before(self, state: State, event: e.Event, at: float) -> None:
        """What must be read off the state while the event's scope still exists."""
        match event:
            case e.StateExited():
                scope, entry = state.scopes[event.scope], self.open.pop(event.scope, None)
                if entry is None:
                    return
                held = scope.input if scope.result is UNSET else scope.result
                entry.output = held if event.output is UNSET else event.output
                entry.status, entry.exited_at, entry.exit = "succeeded", at, event.exit
            case e.ScopeFailed():
                self._end(event.scope, at, "failed", event.error, event.cause)
            case e.ScopeAborted():
                for number in _below(state, event.scope):
                    self._end(number, at, "aborted")
            case e.TaskSucceeded() | e.TaskFailed() | e.TaskTimedOut() | e.ScopeCancelled():
                self._reported(state, event, at)
            case e.ExecutionCancelled() | e.ExecutionTimedOut() | e.ExecutionTerminated() | e.ExecutionContinued():
                by = event.scope if isinstance(event, e.ExecutionContinued) else None
                for number in list(self.open):
                    self._end(number, at, "succeeded" if number == by else "aborted")
            case _:
                pass

    def after(self, state: State, event: e.Event, at: float) -> None:
        match event:
            case e.StateEntered():
                scope = state.scopes[event.scope]
                entry = Entry(event.state, path(state, state.scopes[event.scope]), "running", at, input=scope.input)
                self.entries.append(entry)
                self.open[event.scope] = entry
            case e.NodeSkipped():
                self.entries.append(Entry(event.node, path(state, state.scopes[event.scope]), "skipped", at, at))
            case e.TaskScheduled() if event.scope in self.open:
                self.open[event.scope].attempts.append(Attempt(event.attempt))
            case e.TaskStarted():
                self._attempt(event.scope, event.at, None)
            case e.WaitStarted() | e.RetryScheduled() | e.SignalAwaited():
                self.open[event.scope].waits_until = event.until
            case e.MomentReached() | e.SignalTaken() | e.SignalMissed() if event.scope in self.open:
                self.open[event.scope].waits_until = None
            case e.GraphStarted():
                # A drawn graph is what people see; a state that only holds it is not a box of theirs.
                scope = state.scopes[event.scope]
                if scope.key != scope.state:
                    self.entries.remove(self.open.pop(event.scope))
            case _:
                pass

    def _reported(
        self, state: State, event: e.TaskSucceeded | e.TaskFailed | e.TaskTimedOut | e.ScopeCancelled, at: float
    ) -> None:
        match event:
            case e.TaskSucceeded():
                self._attempt(event.scope, started=event.started, finished=event.finished)
            case e.TaskFailed():
                self._attempt(event.scope, event.started, event.finished, event.error, event.cause)
            case e.TaskTimedOut():
                self._attempt(event.scope, None, at, event.error, event.cause)
            case e.ScopeCancelled() if state.scopes[event.scope].task is not None:
                self._attempt(event.scope, None, at, CANCELLED, state.cancel)

    def _end(self, scope: int, at: float, status: Stage, error: str | None = None, message: str | None = None) -> None:
        entry = self.open.pop(scope, None)
        if entry is not None:
            entry.status, entry.exited_at, entry.error, entry.message = status, at, error, message

    def _attempt(
        self,
        scope: int,
        started: float | None,
        finished: float | None,
        error: str | None = None,
        message: str | None = None,
    ) -> None:
        if scope not in self.open:
            return  # a part of a wide Map, which has a timeline of its own
        attempts = self.open[scope].attempts
        began = started or attempts[-1].started
        attempts[-1] = replace(attempts[-1], started=began, finished=finished, error=error, message=message)


def _below(state: State, number: int) -> list[int]:
    scope = state.scopes[number]
    inner = scope.composite.open.values() if scope.composite is not None else ()
    return [number, *(below for child in inner for below in _below(state, child))]
