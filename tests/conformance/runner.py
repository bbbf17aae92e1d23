"""Runs a recorded execution: `run_case` on the embedded host, `Run` in the core alone (for data that no recording
has, thousands of times). Tasks are answered by stand-ins, and time jumps to the next thing that happens.

Every run also checks what must always hold: the book, written and read as JSON, rebuilds the state that wrote it, and
the history has the ids that the state counted.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from heapq import heappop, heappush
from typing import Any, Final, Protocol

import msgspec

from functions.services import declare
from linkflow.engine.callbacks import Refusal, fail, succeed
from linkflow.engine.engine import Call, Engine, Integration, Told
from linkflow.engine.lease import Leased, Wish, poll
from linkflow.engine.news import tell
from linkflow.execution import events as e
from linkflow.execution.advance import advance, begin, next_moment, owed, unfinished
from linkflow.execution.commands import RunTask
from linkflow.execution.evolve import evolve
from linkflow.execution.history import history
from linkflow.execution.state import State
from linkflow.execution.tokens import read_token
from linkflow.language.program import Program
from linkflow.runtime.hosts.rehearsal import WORKSPACE, Piece, rehearse
from linkflow.runtime.wiring import World
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
    """The case on the embedded host: its queues, its visits, its books, and a clock that jumps."""
    stand_ins = StandIns(case)
    leased = "activity" in case["requires"]
    by_token = leased or "callback" in case["requires"]  # (a token names the execution as it is really called)
    piece = Piece("asl", case["definition"], case.get("input"), names=None if by_token else names(case), begins=START)
    worker = RemoteWorker(case, stand_ins).work if leased else None
    rehearsed = rehearse(declare, piece, Company(stand_ins), worker)
    book = [(turn.at, turn.events) for turn in rehearsed.turns]
    check(rehearsed.program, rehearsed.state, book)
    return outcome(rehearsed.program, rehearsed.state, book)


class Company:
    """The stand-ins as an engine's integrations: they carry out everything."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.later: set[asyncio.Task[None]] = set()

    def get(self, _: str) -> Integration:
        return self.carry_out

    async def carry_out(self, engine: Engine, call: Call) -> Told:
        task = call.task
        answer = self.services.answer(task)
        if answer.submitted is not None:
            if not answer.never:
                coming = self._outcome(engine, call, answer)
                self.later.add(asyncio.create_task(self._after(engine, answer.after + 0.001, coming)))
            return e.TaskSubmitted(task.scope, task.task, answer.submitted)
        if answer.never:
            await asyncio.Future()
        await engine.clock.sleep(answer.after)
        return _news(task, answer)

    async def _outcome(self, engine: Engine, call: Call, answer: Answer) -> None:
        """By the task's token, at the door where it is brought back; of others, into the book."""
        token = read_token(call.task.token or "")
        if call.task.token is None or token is None or token.execution != call.execution:
            await tell(engine, call.workspace, call.execution, _news(call.task, answer))
        elif answer.failed:
            await fail(engine, call.workspace, call.task.token, Refusal(answer.error, answer.cause))
        else:
            await succeed(engine, call.workspace, call.task.token, answer.result)

    async def _after(self, engine: Engine, seconds: float, coming: Awaitable[None]) -> None:
        await engine.clock.sleep(seconds)
        await coming


@dataclass(frozen=True)
class RemoteWorker:
    """Works on a case's activities by the door that remote workers have."""

    case: Case
    stand_ins: StandIns

    async def work(self, world: World) -> None:
        resources = [one["resource"] for one in self.case["expected"].get("tasks", ())]
        queues = sorted({name.rpartition(":activity:")[2] for name in resources if ":activity:" in name})
        while queues:
            for queue in queues:
                for leased in await poll(world.engine, WORKSPACE, queue, Wish("worker", wait=1)):
                    await self.answer(world, leased)

    async def answer(self, world: World, leased: Leased) -> None:
        answer = self.stand_ins.answer(leased.task)
        if answer.failed:
            await fail(world.engine, WORKSPACE, leased.token, Refusal(answer.error, answer.cause))
        elif not answer.never:
            await succeed(world.engine, WORKSPACE, leased.token, answer.result)


def _news(task: RunTask, answer: Answer) -> e.TaskSucceeded | e.TaskFailed:
    if answer.failed:
        return e.TaskFailed(task.scope, task.task, answer.error, answer.cause)
    return e.TaskSucceeded(task.scope, task.task, answer.result)


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
        check(self.program, self.state, self.book)
        return outcome(self.program, self.state, self.book)

    def _step(self) -> bool:
        """Calls what is owed, then lets time pass to the next answer or moment; False when nothing is to come."""
        for task in owed(self.program, self.state):
            if task.task not in self.called:
                self.called.add(task.task)
                self._expect(task, self.services.answer(task))
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

    def _expect(self, task: RunTask, answer: Answer) -> None:
        if answer.submitted is not None:
            heappush(self.due, (self.now, task.task, e.TaskSubmitted(task.scope, task.task, answer.submitted)))
        if answer.never:
            return
        news = _news(task, answer)
        heappush(self.due, (self.now + answer.after + (0.0 if answer.submitted is None else 0.001), task.task, news))

    def _tell(self, *news: e.News) -> None:
        self.book.append((self.now, advance(self.program, self.state, news, self.now)))
        while unfinished(self.state):
            self.book.append((self.now, advance(self.program, self.state, (), self.now)))


Book = Sequence[tuple[float, Sequence[e.Event]]]


def check(program: Program, state: State, book: Book) -> None:
    rebuilt = State()
    for at, events in book:
        for event in _DECODER.decode(msgspec.json.encode(tuple(events))):
            evolve(rebuilt, event, at)
    rebuilt.resume()
    state.resume()
    assert msgspec.json.decode(msgspec.json.encode(rebuilt), type=State) == state, "the book rebuilds another state"
    assert len(history(program, book)) == state.histories[0], "the history has other ids"


def outcome(program: Program, state: State, book: Book) -> Outcome:
    told, failure = history(program, book), state.failure
    return Outcome(
        status=_STATUS.get(state.status, state.status),
        output=state.output,
        error=failure.error if failure else None,
        cause=failure.cause if failure else None,
        events=[event.type for event in told],
        states=[event.details["name"] for event in told if event.type.endswith("StateEntered")],
        history=told,
    )
