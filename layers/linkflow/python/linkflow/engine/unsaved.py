"""What a visit's state holds and the book does not yet: how long it may stay so, and what becomes of it when the book
turns out to be somebody else's.

    step     an outcome is put before anything is begun that follows from it (the first turn alone waits: it follows
             from the opening)
    group    outcomes may share a turn, so many of them or for so long
    end      nothing is put until the execution waits or is over

A workflow says which, and a node may say otherwise of its own outcome; the strictest of those that are not put yet
counts. A process that dies repeats what was not put, with the same idempotency keys. When others write into the book
meanwhile, nothing is repeated: outcomes are told again to the state as they left it, each to the task of the same key.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from linkflow.engine.admission import Verdict
from linkflow.execution.commands import RunTask
from linkflow.execution.events import (
    Event,
    ExecutionAdmitted,
    News,
    Responded,
    TaskFailed,
    TaskSucceeded,
    TaskTimedOut,
)
from linkflow.execution.evolve import evolve
from linkflow.execution.state import State
from linkflow.language.program import Durability, Program, Task

_STRICTEST: tuple[Durability, ...] = ("step", "group", "end")
_OUTCOMES = (TaskSucceeded, TaskFailed, TaskTimedOut)


@dataclass(frozen=True, slots=True)
class Batch:
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
        for one in news:
            if isinstance(one, _OUTCOMES):
                self.outcomes += 1
                said = self._durability(state, one.scope)
                self.strictest = min(self.strictest, said, key=_STRICTEST.index)

    def may_wait(self, number: int, now: float) -> bool:
        """Whether the book, whose last turn is `number`, may go without these events while something runs."""
        if number == 0 and not any(batch.news for batch in self.batches):
            return True
        durability = self._required()
        if durability == "step" or any(isinstance(event, Responded) for event in self.events):
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
    """The news of a batch that means the same when `tasks` are owed: a task's number may be another task's now."""
    before = {task.task: task.key for task in batch.tasks}
    now = {task.task: task.key for task in tasks}
    return [
        one
        for one in batch.news
        if not isinstance(one, _OUTCOMES) or (one.task in now and before.get(one.task) == now[one.task])
    ]
