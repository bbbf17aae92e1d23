"""Runs a recorded execution. `run_case` is the seam: whatever stands behind it gives an `Outcome`.

Here it is the core alone under a virtual clock: tasks are answered by stand-ins, and time jumps to the next thing that
happens. Every run also checks what must always hold: the book, written and read as JSON, rebuilds the state that wrote
it, and the history has the ids that the state counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from heapq import heappop, heappush
from typing import Any, Final, Protocol

import msgspec

from linkflow.execution import events as e
from linkflow.execution.advance import advance, begin, next_moment, owed
from linkflow.execution.commands import RunTask
from linkflow.execution.evolve import evolve
from linkflow.execution.history import history
from linkflow.execution.state import State
from linkflow.language.asl import compile_asl
from linkflow.language.program import Program
from tests.conformance.cases import Case, Outcome
from tests.conformance.stand_ins import Answer, StandIns

START: Final = datetime(2026, 11, 23, 15, 48, 46, tzinfo=UTC).timestamp()
"""The recordings' "now": their moments lie just before it or far after it."""

_DECODER: Final = msgspec.json.Decoder(tuple[e.Event, ...])
_STATUS: Final = {"succeeded": "SUCCEEDED", "failed": "FAILED", "timed_out": "TIMED_OUT", "running": "RUNNING"}


class Services(Protocol):
    """Who answers tasks."""

    def answer(self, task: RunTask) -> Answer: ...


def run_case(case: Case) -> Outcome:
    program = compile_asl(case["definition"])
    return Run(program, StandIns(case)).run(names(case), case.get("input"))


def names(case: Case) -> e.Names:
    given = case["names"]
    machine = given["state_machine"]
    arn = given["execution_arn"]
    region = ":".join(arn.split(":")[:5])
    redriven = None if "test_express_sync" in case["source"]["test"] else 0
    return e.Names(arn, given["execution"], f"{region}:stateMachine:{machine}", machine, given["role_arn"], redriven)


@dataclass
class Run:
    program: Program
    services: Services
    longest: int = 10_000
    now: float = START
    state: State = field(default_factory=State)
    book: list[tuple[float, Sequence[e.Event]]] = field(default_factory=list)
    due: list[tuple[float, int, e.News]] = field(default_factory=list)
    called: set[int] = field(default_factory=set)

    def run(self, given: e.Names, value: Any) -> Outcome:
        deadline = None if self.program.timeout is None else self.now + self.program.timeout
        started = e.ExecutionStarted(value, given, "ws", 1, self.program.hash, deadline=deadline, salt="salt")
        self.state, events = begin(self.program, started, self.now)
        self.book.append((self.now, events))
        for _ in range(self.longest):
            if self.state.closed or not self._step():
                break
        self._check()
        return self._outcome()

    def _step(self) -> bool:
        """Calls what is owed, then lets time pass to the next answer or moment; False when nothing is to come."""
        for task in owed(self.program, self.state):
            if task.task not in self.called:
                self.called.add(task.task)
                self._expect(task.scope, task.task, self.services.answer(task))
        moment, answer = next_moment(self.state), self.due[0][0] if self.due else None
        if moment is None and answer is None:
            return False
        if answer is not None and (moment is None or answer <= moment):
            self.now, _order, news = heappop(self.due)
            self._tell(news)
        elif moment is not None:
            if moment - self.now > 30 * 365 * 86_400:
                return False
            self.now = max(moment, self.now)
            self._tell()
        return True

    def _expect(self, scope: int, task: int, answer: Answer) -> None:
        if answer.submitted is not None:
            heappush(self.due, (self.now, task, e.TaskSubmitted(scope, task, answer.submitted)))
        if answer.never:
            return
        news: e.News = e.TaskSucceeded(scope, task, answer.result)
        if answer.failed:
            news = e.TaskFailed(scope, task, answer.error, answer.cause)
        heappush(self.due, (self.now + answer.after + (0.0 if answer.submitted is None else 0.001), task, news))

    def _tell(self, *news: e.News) -> None:
        self.book.append((self.now, advance(self.program, self.state, news, self.now)))

    def _check(self) -> None:
        state = State()
        for at, events in self.book:
            for event in _DECODER.decode(msgspec.json.encode(tuple(events))):
                evolve(state, event, at)
        state.resume()
        assert msgspec.json.decode(msgspec.json.encode(state), type=State) == self.state, (
            "the book rebuilds another state"
        )
        assert len(history(self.program, self.book)) == self.state.histories[0], "the history has other ids"

    def _outcome(self) -> Outcome:
        state, told = self.state, history(self.program, self.book)
        failure = state.failure
        return Outcome(
            status=_STATUS.get(state.status, state.status),
            output=state.output,
            error=failure.error if failure else None,
            cause=failure.cause if failure else None,
            events=[event.type for event in told],
            states=[event.details["name"] for event in told if event.type.endswith("StateEntered")],
            history=told,
        )
