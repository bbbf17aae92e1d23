"""The facts a book may hold, past tense, each copied into the state by `evolve`. Each stands in the room of what it is
about (`lifecycle`, `scopes`, `tasks`, `signals`, `queueing`); this page has them all, and is where they are taken from.

`scope` is the number of the scope a fact belongs to (0 is the root machine). A value that equals what the state already
holds is left out (`UNSET`), so that data is written once: `StateEntered` never repeats the output it starts from, and
`StateExited` repeats its result only when it was reshaped. The moment of a fact is its turn's `at`.
"""

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
from linkflow.execution.scopes import (
    CompositeFinished,
    GraphStarted,
    ItemsRead,
    MapRunStarted,
    MapStarted,
    MomentReached,
    NodeSkipped,
    ParallelStarted,
    Responded,
    RetryScheduled,
    ScopeAborted,
    ScopeCancelled,
    ScopeFailed,
    ScopeOpened,
    StateEntered,
    StateExited,
    StateFailed,
    WaitStarted,
)
from linkflow.execution.signals import SignalAwaited, SignalMissed, SignalReceived, SignalTaken
from linkflow.execution.tasks import (
    TaskFailed,
    TaskHeartbeat,
    TaskScheduled,
    TaskStarted,
    TaskSubmitted,
    TaskSucceeded,
    TaskTimedOut,
    VisitResumed,
)

__all__ = [
    "CancelRequested",
    "CleanUpStarted",
    "CompositeFinished",
    "Event",
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
    "GraphStarted",
    "HandedOver",
    "ItemsRead",
    "LeaseLapsed",
    "MapRunStarted",
    "MapStarted",
    "MomentReached",
    "Names",
    "News",
    "NodeSkipped",
    "ParallelStarted",
    "Parent",
    "Part",
    "PauseRequested",
    "ResetOf",
    "Responded",
    "ResumeRequested",
    "RetryScheduled",
    "ScopeAborted",
    "ScopeCancelled",
    "ScopeFailed",
    "ScopeOpened",
    "SignalAwaited",
    "SignalMissed",
    "SignalReceived",
    "SignalTaken",
    "StateEntered",
    "StateExited",
    "StateFailed",
    "TaskFailed",
    "TaskHeartbeat",
    "TaskPostponed",
    "TaskScheduled",
    "TaskStarted",
    "TaskSubmitted",
    "TaskSucceeded",
    "TaskTimedOut",
    "Value",
    "VisitResumed",
    "WaitStarted",
]

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
