"""An execution's book in the vocabulary of Step Functions' history: types, ids, details.

A fold over the book beside `evolve`. The nodes of a graph appear as the state types nearest to them. A distributed
Map's iterations are executions of their own there, so each has its own history (`of`). Inputs and outputs are given as
values, not as texts; `timestamp` is in seconds since 1970. Source: API reference, `HistoryEvent`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from msgspec import UNSET

from linkflow.execution import events as e
from linkflow.execution.evolve import evolve, own_evaluation_failed
from linkflow.execution.failures import CANCELLED, TIMEOUT, shown
from linkflow.execution.history_names import Kind, kind_of_state, task_words
from linkflow.execution.state import Iterations, Scope, State
from linkflow.language import program as p
from linkflow.language.asl.waits import RECEIVE
from linkflow.language.json import Json
from linkflow.language.json_text import compact

Turns = Iterable[tuple[float, Sequence[e.Event]]]


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    id: int
    previous: int
    type: str
    timestamp: float
    details: Mapping[str, Json]


def history(program: p.Program, turns: Turns, of: int = 0) -> list[HistoryEvent]:
    """The history that the scope `of` has: 0 is the execution, others are iterations of distributed Maps."""
    fold = _Fold(program, of)
    for at, events in turns:
        for event in events:
            fold.take(event, at)
    return fold.rows


_ASIDE = frozenset({"MapIterationSucceeded", "MapIterationFailed", "MapIterationAborted", "MapStateSucceeded"})
"""Events that nothing follows."""

Row = tuple[str, Mapping[str, Json]]


class _Fold:
    """By scope: `last` is the newest event's id, from which `previous` is told, `entered` what preceded the entry into
    its state, `closing` the last event of its newest settled child."""

    def __init__(self, program: p.Program, of: int) -> None:
        self.program = program
        self.of = of
        self.state = State()
        self.rows: list[HistoryEvent] = []
        self.last: dict[int, int] = {}
        self.entered: dict[int, int] = {}
        self.closing: dict[int, int] = {}

    def take(self, event: e.Event, at: float) -> None:
        number = _scope_of(event)
        where = self.state.scopes.get(number)
        tells = self.of == (0 if where is None else where.history)
        before = list(self.before(event)) if tells else []
        evolve(self.state, event, at)
        if isinstance(event, e.ScopeOpened):
            number = event.scope
            opened = self.state.scopes[number]
            self.last[number] = self.last.get(event.parent, 0)
            if opened.history == number == self.of:
                self.write(number, ("ExecutionStarted", {"input": opened.given}), at)
        for row in [*before, *(self.after(event, at) if tells else ())]:
            self.write(number, row, at)
        if tells and where is not None and where.parent is not None and number not in self.state.scopes:
            self.last[where.parent] = self.last.get(number, 0)
            self.closing[where.parent] = len(self.rows)

    def write(self, scope: int, row: Row, at: float) -> None:
        kind, details = row
        identity = len(self.rows) + 1
        previous = self._previous(scope, kind)
        self.rows.append(HistoryEvent(identity, previous, kind, at, details))
        if kind.endswith("StateEntered"):
            self.entered[scope] = previous
        if kind not in _ASIDE:
            self.last[scope] = identity

    def _previous(self, scope: int, kind: str) -> int:
        """An evaluation fails before the entry into the state counts, but for a Wait's; what a Map ends with follows
        its last iteration's end (both recorded)."""
        if len(self.rows) == 1:
            return 0
        if kind == "EvaluationFailed" and not isinstance(self.box(self.state.scopes[scope]), p.Wait):
            return self.entered.get(scope, 0)
        if kind == "MapStateSucceeded" and scope in self.closing:
            self.last[scope] = self.closing[scope]
        return self.last.get(scope, 0)

    def box(self, scope: Scope) -> p.State:
        return self.program.machines[scope.machine].states[scope.state]

    def before(self, event: e.Event) -> Iterator[Row]:
        """What must be read off the state while the event's scope still stands where it stood."""
        match event:
            case e.StateExited():
                yield from self._exited(event, self.state.scopes[event.scope])
            case e.TaskSucceeded() | e.TaskFailed() | e.TaskTimedOut() | e.TaskSubmitted():
                yield from self._reported(event, self.state.scopes[event.scope])
            case e.SignalTaken():
                (payload,) = [signal.payload for signal in self.state.mailbox if signal.id == event.id]
                yield "TaskSucceeded", {"output": payload, **task_words(RECEIVE).about}
            case e.SignalMissed():
                yield "TaskTimedOut", {"error": TIMEOUT, **task_words(RECEIVE).about}
            case e.CompositeFinished():
                scope = self.state.scopes[event.scope]
                if isinstance(scope.composite, Iterations) and scope.composite.run:
                    yield "MapRunSucceeded", {}
                yield f"{self._kind(scope)}StateSucceeded", {}
            case e.StateFailed():
                yield from self._state_failed(event, self.state.scopes[event.scope])
            case e.ScopeCancelled():
                yield from self._cancelled(self.state.scopes[event.scope])
            case e.ScopeFailed():
                yield from self._scope_failed(self.state.scopes[event.scope])
            case e.ScopeAborted():
                yield from self._aborted(self.state.scopes[event.scope])
            case e.ExecutionSucceeded():
                yield "ExecutionSucceeded", {"output": self.state.scopes[0].carry}
            case _:
                pass

    def after(self, event: e.Event, at: float) -> Iterator[Row]:  # noqa: PLR0912 (one arm per event)
        match event:
            case e.ExecutionStarted():
                yield "ExecutionStarted", {"input": event.input, "roleArn": event.names.role}
            case e.StateEntered():
                scope = self.state.scopes[event.scope]
                yield f"{self._kind(scope)}StateEntered", {"input": scope.input, "name": event.state}
            case e.TaskScheduled():
                yield from self._scheduled(self.state.scopes[event.scope])
            case e.SignalAwaited():
                yield from self._listening(event, at)
            case e.TaskStarted():
                yield from self._leased(event, self.state.scopes[event.scope])
            case e.ParallelStarted() | e.GraphStarted():
                yield "ParallelStateStarted", {}
            case e.MapStarted():
                yield "MapStateStarted", {"length": event.length}
            case e.MapRunStarted():
                yield "MapRunStarted", {"mapRunArn": event.run}
            case e.ScopeOpened():
                yield from self._iteration("Started", self.state.scopes[event.parent], event.key)
            case e.ExecutionFailed():
                yield "ExecutionFailed", _error(event.error, event.cause)
            case e.ExecutionTimedOut():
                yield "ExecutionTimedOut", {}
            case e.ExecutionCancelled() | e.ExecutionTerminated() | e.ExecutionContinued():
                yield "ExecutionAborted", {}
            case _:
                pass

    def _kind(self, scope: Scope) -> Kind:
        return kind_of_state(self.box(scope))

    def _exited(self, event: e.StateExited, scope: Scope) -> Iterator[Row]:
        if scope.failure is not None and scope.failure.composite:
            yield f"{self._kind(scope)}StateFailed", {}
        held = scope.input if scope.result is UNSET else scope.result
        details = {"name": scope.state, "output": held if event.output is UNSET else event.output}
        if event.assigned:
            details["assignedVariables"] = {name: compact(value) for name, value in event.assigned.items()}
            details["assignedVariablesDetails"] = {"truncated": False}
        yield f"{self._kind(scope)}StateExited", details
        if event.next is None and scope.parent is not None:
            yield from self._iteration("Succeeded", self.state.scopes[scope.parent], scope.key)

    def _iteration(self, what: str, parent: Scope, key: int | str) -> Iterator[Row]:
        if isinstance(parent.composite, Iterations) and not parent.composite.distributed:
            yield f"MapIteration{what}", {"index": key, "name": parent.state}

    def _scheduled(self, scope: Scope) -> Iterator[Row]:
        box, task = self.box(scope), scope.task
        if task is None or not isinstance(box, p.Task):
            return
        words = task_words(box.resource)
        details: dict[str, Json] = {words.input: task.arguments, "resource": words.resource}
        if words.service:
            parts = self.state.names.execution_id.split(":")
            details |= {"resourceType": words.service, "region": parts[3] if len(parts) > 3 else ""}
        if task.deadline is not None:
            details["timeoutInSeconds"] = round(task.deadline - task.scheduled)
        if task.heartbeat is not None:
            details["heartbeatInSeconds"] = task.heartbeat
        if task.credentials is not None:
            details["taskCredentials"] = {"roleArn": task.credentials.get("RoleArn")}
        yield f"{words.prefix}Scheduled", details
        if task.pattern != "activity":
            yield f"{words.prefix}Started", words.about

    def _leased(self, event: e.TaskStarted, scope: Scope) -> Iterator[Row]:
        """A remote worker took the task, the first one that did."""
        box, task = self.box(scope), scope.task
        if isinstance(box, p.Task) and task is not None and task.pattern == "activity" and task.interruptions == 0:
            worker: dict[str, Json] = {"workerName": event.worker} if event.worker else {}
            yield f"{task_words(box.resource).prefix}Started", worker

    def _listening(self, event: e.SignalAwaited, at: float) -> Iterator[Row]:
        words = task_words(RECEIVE)
        asked = {"name": event.name} if event.filter is None else {"name": event.name, "filter": event.filter}
        details: dict[str, Json] = {words.input: asked, "resource": words.resource, "resourceType": words.service}
        if event.until is not None:
            details["timeoutInSeconds"] = round(event.until - at)
        yield "TaskScheduled", details
        yield "TaskStarted", words.about

    def _reported(
        self, event: e.TaskSucceeded | e.TaskFailed | e.TaskTimedOut | e.TaskSubmitted, scope: Scope
    ) -> Iterator[Row]:
        box = self.box(scope)
        if not isinstance(box, p.Task):
            return
        words = task_words(box.resource)
        match event:
            case e.TaskSucceeded():
                yield f"{words.prefix}Succeeded", {"output": event.result, **words.about}
            case e.TaskSubmitted():
                yield f"{words.prefix}Submitted", {"output": event.output, **words.about}
            case e.TaskFailed():
                yield f"{words.prefix}Failed", {**_error(event.error, event.cause), **words.about}
            case e.TaskTimedOut():
                yield f"{words.prefix}TimedOut", {**_error(shown(event.error), event.cause), **words.about}

    def _state_failed(self, event: e.StateFailed, scope: Scope) -> Iterator[Row]:
        if own_evaluation_failed(event, scope):
            location = {"location": event.location} if event.location else {}
            yield "EvaluationFailed", {**_error(event.error, event.cause), **location, "state": scope.state}
        if isinstance(scope.composite, Iterations) and scope.composite.run:
            yield "MapRunFailed", _error(event.error, event.cause)

    def _cancelled(self, scope: Scope) -> Iterator[Row]:
        box = self.box(scope)
        if isinstance(scope.composite, Iterations) and scope.composite.run:
            yield "MapRunFailed", _error(CANCELLED, self.state.cancel)
        elif scope.wanted is not None:
            yield "TaskFailed", {**_error(CANCELLED, self.state.cancel), **task_words(RECEIVE).about}
        elif scope.composite is None and scope.task is not None and isinstance(box, p.Task):
            words = task_words(box.resource)
            yield f"{words.prefix}Failed", {**_error(CANCELLED, self.state.cancel), **words.about}

    def _scope_failed(self, scope: Scope) -> Iterator[Row]:
        composite_failed = scope.failure is not None and scope.failure.composite
        if composite_failed:
            yield f"{self._kind(scope)}StateFailed", {}
        if scope.parent is None or scope.history == scope.id:
            return
        yield from self._iteration("Failed", self.state.scopes[scope.parent], scope.key)
        if scope.attempt > 0 and not composite_failed:
            yield f"{self._kind(scope)}StateAborted", {}

    def _aborted(self, scope: Scope) -> Iterator[Row]:
        for child in scope.composite.open.values() if scope.composite is not None else ():
            yield from self._aborted(self.state.scopes[child])
        if scope.parent is None or scope.history != self.of or scope.history == scope.id:
            return
        yield from self._iteration("Aborted", self.state.scopes[scope.parent], scope.key)
        if scope.phase not in ("enter", "ended"):
            yield f"{self._kind(scope)}StateAborted", {}


def _scope_of(event: e.Event) -> int:
    if isinstance(event, e.ScopeOpened):
        return event.parent
    return getattr(event, "scope", 0)


def _error(error: str | None, cause: str | None) -> dict[str, Json]:
    return {name: value for name, value in (("error", error), ("cause", cause)) if value is not None}
