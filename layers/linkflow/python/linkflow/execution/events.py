"""The facts a book may hold, past tense, each copied into the state by `evolve`.

`scope` is the number of the scope a fact belongs to (0 is the root machine). A value that equals what the state already
holds is left out (`UNSET`), so that data is written once: `StateEntered` never repeats the output it starts from, and
`StateExited` repeats its result only when it was reshaped. The moment of a fact is its turn's `at`.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET

from linkflow.execution.lifecycle import (
    CancelRequested,
    CleanUpStarted,
    ExecutionCancelled,
    ExecutionContinued,
    ExecutionFailed,
    ExecutionReset,
    ExecutionStarted,
    ExecutionSucceeded,
    ExecutionTerminated,
    ExecutionTimedOut,
    Fact,
    HandedOver,
    Names,
    Parent,
    Part,
    PauseRequested,
    ResetOf,
    ResumeRequested,
    Value,
)
from linkflow.execution.queueing import ExecutionAdmitted, ExecutionQueued, LeaseLapsed, TaskPostponed
from linkflow.execution.signals import SignalAwaited, SignalMissed, SignalReceived, SignalTaken
from linkflow.language.json import Json

__all__ = [
    "CancelRequested",
    "CleanUpStarted",
    "ExecutionAdmitted",
    "ExecutionCancelled",
    "ExecutionContinued",
    "ExecutionFailed",
    "ExecutionQueued",
    "ExecutionReset",
    "ExecutionStarted",
    "ExecutionSucceeded",
    "ExecutionTerminated",
    "ExecutionTimedOut",
    "Fact",
    "HandedOver",
    "LeaseLapsed",
    "Names",
    "Parent",
    "Part",
    "PauseRequested",
    "ResetOf",
    "ResumeRequested",
    "SignalAwaited",
    "SignalMissed",
    "SignalReceived",
    "SignalTaken",
    "TaskPostponed",
    "Value",
]
"""What this page has of `lifecycle`, `queueing` and `signals`; the rest of the vocabulary stands below."""


# ---------------------------------------------------------------- visits


class Responded(Fact, frozen=True):
    """A respond node gave the answer for whoever waits at the webhook: `{"status", "headers", "body"}`."""

    scope: int
    response: Json


class VisitResumed(Fact, frozen=True):
    """A visit died with its process, and another one took over (its lane message came again). `tasks` are those the
    dead visit was running: a task that keeps killing its process is given up after some of these."""

    tasks: tuple[int, ...]


# ---------------------------------------------------------------- scopes and states


class ScopeOpened(Fact, frozen=True):
    """A branch, an iteration or a node began, in the composite state `parent` is in. Its first input is `input`, or
    comes from what `parent` holds: the outputs of the nodes `sources`, the item at index `key`, or the parent's input.
    """

    parent: int
    scope: int
    key: int | str
    input: Value = UNSET
    sources: tuple[str, ...] = ()
    gather: bool = False


class StateEntered(Fact, frozen=True):
    scope: int
    state: str


class StateExited(Fact, frozen=True):
    """The state is done and left for `next`; with None its machine is done, and left by `exit`.
    `output` is left out when it is the state's result (or, when there was none, its input)."""

    scope: int
    output: Value = UNSET
    next: str | None = None
    exit: str = "default"
    assigned: Mapping[str, Json] = {}


class StateFailed(Fact, frozen=True):
    """A state failed by itself (not its task). `location` names the field whose expression could not be evaluated;
    `composite`: it is a Parallel's or Map's own failure, which histories tell of when nothing retries it."""

    scope: int
    error: str | None
    cause: str | None
    location: str = ""
    composite: bool = False


class ScopeFailed(Fact, frozen=True):
    """Nobody in the scope mended the failure: its machine ended with it."""

    scope: int
    error: str | None
    cause: str | None


class ScopeCancelled(Fact, frozen=True):
    """The execution is being cancelled: whatever the scope was at was given up, and its state failed."""

    scope: int


class ScopeAborted(Fact, frozen=True):
    """A scope and all below it were given up, because a sibling failed or the execution was ended."""

    scope: int


class NodeSkipped(Fact, frozen=True):
    """No live edge led to the node. `scope` is the graph's."""

    scope: int
    node: str


# ---------------------------------------------------------------- composites


class ParallelStarted(Fact, frozen=True):
    scope: int
    branches: int
    input: Value = UNSET


class MapStarted(Fact, frozen=True):
    """`items` is left out when they are the state's input. Limits are resolved numbers; those of a distributed Map,
    which are evaluated later, are in `MapRunStarted`."""

    scope: int
    length: int
    items: Value = UNSET
    max_concurrency: int = 0
    tolerated_count: int | None = None
    tolerated_percentage: float | None = None
    distributed: bool = False
    keep_errors: bool = False


class MapRunStarted(Fact, frozen=True):
    """A distributed Map set out. `run` names it; `items` are given when they were batched, `reading` means that a task
    will bring them. `arguments` are the writer's, `max_items` bounds what is read."""

    scope: int
    run: str
    items: Value = UNSET
    tolerated_count: int | None = None
    tolerated_percentage: float | None = None
    reading: bool = False
    max_items: int | None = None
    writer: Json = None
    dealt: int = 0
    """How many items each child execution works on; 0: the iterations are scopes of this one."""


class ItemsRead(Fact, frozen=True):
    """The reader's answer became items (batched, if the Map says so)."""

    scope: int
    items: list[Json]
    dealt: int = 0


class GraphStarted(Fact, frozen=True):
    """`repeats`: it may be gone through again, and counts how often it was."""

    scope: int
    nodes: int
    repeats: bool = False


class CompositeFinished(Fact, frozen=True):
    """Every branch, iteration or node is settled. The result is the list of what they made, or `result` where a Map's
    results were written elsewhere; of a graph, the output of the node in `last`, or an object of them when there are
    several."""

    scope: int
    last: tuple[str, ...] = ()
    result: Value = UNSET


# ---------------------------------------------------------------- waiting


class WaitStarted(Fact, frozen=True):
    scope: int
    until: float


class RetryScheduled(Fact, frozen=True):
    """The state runs again at `until`; `retrier` is the position of the rule that said so."""

    scope: int
    retrier: int
    until: float


class MomentReached(Fact, frozen=True):
    """The moment the scope waited for (a Wait's end, a retry's turn) has come."""

    scope: int


# ---------------------------------------------------------------- tasks


class TaskScheduled(Fact, frozen=True):
    """A task is owed. `task` numbers it within the execution; what is reported about it names that number, so that a
    late report never meets another task. `arguments` is left out when it is the state's input. `deadline` and
    `heartbeat` bound it: a moment, and the seconds allowed between signs of life."""

    scope: int
    task: int
    attempt: int
    arguments: Value = UNSET
    deadline: float | None = None
    heartbeat: float | None = None
    pattern: str = "request"
    credentials: Json = None


class TaskStarted(Fact, frozen=True):
    """Recorded only where somebody needs it: a task that runs for over a second, one that must not run twice, or one
    that the remote `worker` leased."""

    scope: int
    task: int
    at: float
    worker: str = ""


class TaskSubmitted(Fact, frozen=True):
    """The request of a task that ends later (`.sync`, `.waitForTaskToken`) was made; `output` is the answer to it."""

    scope: int
    task: int
    output: Json = None


class TaskHeartbeat(Fact, frozen=True):
    """A sign of life, which moves the moment by which the next one is due."""

    scope: int
    task: int


class TaskSucceeded(Fact, frozen=True):
    scope: int
    task: int
    result: Json
    started: float = 0.0
    finished: float = 0.0
    exit: str = "default"


class TaskFailed(Fact, frozen=True):
    """`details` is what a node adds for people and programs (a status, a response's head): never secrets."""

    scope: int
    task: int
    error: str | None
    cause: str | None = None
    started: float = 0.0
    finished: float = 0.0
    retryable: bool = True
    retry_after: float | None = None
    details: Mapping[str, Any] | None = None


class TaskTimedOut(Fact, frozen=True):
    """`error` is `States.Timeout` or `States.HeartbeatTimeout`."""

    scope: int
    task: int
    error: str = "States.Timeout"
    cause: str | None = None


News = (
    TaskStarted
    | LeaseLapsed
    | TaskPostponed
    | TaskSubmitted
    | TaskHeartbeat
    | TaskSucceeded
    | TaskFailed
    | TaskTimedOut
    | CancelRequested
    | ExecutionTerminated
    | PauseRequested
    | ResumeRequested
    | HandedOver
    | VisitResumed
    | SignalReceived
)
"""What the world outside the core may report."""

Event = (
    StateEntered
    | StateExited
    | TaskScheduled
    | TaskSucceeded
    | ScopeOpened
    | NodeSkipped
    | GraphStarted
    | CompositeFinished
    | WaitStarted
    | MomentReached
    | ExecutionStarted
    | ExecutionSucceeded
    | TaskFailed
    | TaskStarted
    | TaskTimedOut
    | RetryScheduled
    | StateFailed
    | ScopeFailed
    | ScopeAborted
    | ParallelStarted
    | MapStarted
    | MapRunStarted
    | ItemsRead
    | TaskSubmitted
    | TaskHeartbeat
    | Responded
    | ExecutionFailed
    | ExecutionTimedOut
    | CancelRequested
    | ExecutionCancelled
    | VisitResumed
    | ExecutionTerminated
    | ExecutionContinued
    | CleanUpStarted
    | ScopeCancelled
    | PauseRequested
    | ResumeRequested
    | ExecutionReset
    | SignalReceived
    | SignalAwaited
    | SignalTaken
    | SignalMissed
    | LeaseLapsed
    | TaskPostponed
    | ExecutionQueued
    | ExecutionAdmitted
    | HandedOver
)
"""Every event, the frequent ones first."""
