"""What a visit's state holds and the book does not yet: how long it may stay so, and what becomes of it when the book
turns out to be somebody else's.

    step     an outcome is put before anything is begun that follows from it (the first turn alone waits: it follows
             from the opening)
    group    outcomes may share a turn, so many of them or for so long
    end      nothing is put until the execution waits or is over

A workflow says which, and a node may say otherwise of its own outcome; the strictest of those that are not put yet
counts. The outcome of what runs at most once is put at once, since nobody can repeat it. A process that dies repeats
what was not put, with the same idempotency keys. When others write into the book meanwhile, nothing is repeated:
outcomes are told again to the state as they left it, each to the task of the same key and attempt. That task may have
another number by then, since what others brought came first.
"""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from linkflow.engine.admission import Verdict
from linkflow.execution.commands import RunTask
from linkflow.execution.events import (
    CleanUpStarted,
    Event,
    ExecutionAdmitted,
    News,
    Responded,
    SignalMissed,
    TaskFailed,
    TaskPostponed,
    TaskStarted,
    TaskSubmitted,
    TaskSucceeded,
    TaskTimedOut,
    VisitResumed,
)
from linkflow.execution.evolve import evolve
from linkflow.execution.state import State
from linkflow.language.program import Durability, Program, Task

_STRICTEST: tuple[Durability, ...] = ("step", "group", "end")
_OUTCOMES = (TaskSucceeded, TaskFailed, TaskTimedOut)
_AT_ONCE = (Responded, TaskTimedOut, SignalMissed, CleanUpStarted)
"""What somebody waits for, and what would not be so if others wrote first: that a moment came before the news, or a
cancel before the end of what it ended. Nothing that follows from these is begun until they are put."""
_OF_TASKS = (*_OUTCOMES, TaskSubmitted, TaskStarted, TaskPostponed)


class Batch(msgspec.Struct, frozen=True, eq=False):
    """News that was told together, and the tasks that were owed then."""

    news: Sequence[News]
    tasks: Sequence[RunTask]


class Unsaved:
    __slots__ = ("batches", "events", "outcomes", "program", "since", "strictest", "verdict")

    def __init__(self, program: Program) -> None:
        self.program = program
        self.clear()

    def clear(self) -> None:
        self.events: list[Event] = []
        self.batches: list[Batch] = []
        self.verdict: ExecutionAdmitted | None = None
        self.outcomes = 0
        self.strictest: Durability = "end"
        self.since: float | None = None

    def tell(self, state: State, news: Sequence[News], tasks: Sequence[RunTask], now: float) -> None:
        """`news` is about to be told to `state`, in which `tasks` are owed."""
        self.batches.append(Batch(news, tasks))
        self.since = now if self.since is None else self.since
        once = {task.task for task in tasks if task.at_most_once}
        for one in news:
            if isinstance(one, _OUTCOMES):
                self.outcomes += 1
                said = "step" if one.task in once else self._durability(state, one.scope)
                self.strictest = min(self.strictest, said, key=_STRICTEST.index)

    def may_wait(self, number: int, now: float) -> bool:
        """Whether the book, whose last turn is `number`, may go without these events while something runs."""
        if number == 0 and not any(batch.news for batch in self.batches):
            return True
        durability = self._required()
        if durability == "step" or any(isinstance(event, _AT_ONCE) for event in self.events):
            return False
        moment = self.until()
        return moment is None or (now < moment and self.outcomes < self.program.group_steps)

    def until(self) -> float | None:
        """The moment by which a group must be put."""
        if self.since is None or self._required() != "group":
            return None
        return self.since + self.program.group_seconds

    def judge(self, state: State, verdict: Verdict, now: float) -> None:
        """What was said of the execution's wish to begin."""
        evolve(state, verdict, now)
        self.events.append(verdict)
        self.verdict = verdict if isinstance(verdict, ExecutionAdmitted) else None

    def again(self) -> tuple[list[Batch], ExecutionAdmitted | None]:
        """What must be told once more, since the book was read again; and the slot that was had."""
        batches, verdict = self.batches, self.verdict
        self.clear()
        return batches, verdict

    def _required(self) -> Durability:
        return self.strictest if self.outcomes else self.program.durability

    def _durability(self, state: State, number: int) -> Durability:
        scope = state.scopes.get(number)
        box = None if scope is None else self.program.machines[scope.machine].states.get(scope.state)
        return (box.durability if isinstance(box, Task) else None) or self.program.durability


def still_owed(batch: Batch, tasks: Sequence[RunTask]) -> list[News]:
    """The news of a batch in the words that mean the same when `tasks` are owed; what means nothing then is left
    out."""
    names = {task.task: task.name for task in batch.tasks}
    owed = {task.name: task for task in tasks}
    now = {number: found for number, name in names.items() if (found := owed.get(name)) is not None}
    told: list[News] = []
    for one in batch.news:
        if isinstance(one, VisitResumed):
            numbers = (now[old].task if old in now else old for old in one.tasks if old in now or old not in names)
            told.append(VisitResumed(tuple(numbers)))
        elif not isinstance(one, _OF_TASKS):
            told.append(one)
        elif one.task in now:
            told.append(of_task(one, now[one.task]))
    return told


def of_task(news: News, task: RunTask) -> News:
    """What is said of a task, said of it under the number that it has now."""
    if not isinstance(news, _OF_TASKS) or news.task == task.task:
        return news
    return replace(news, scope=task.scope, task=task.task)
