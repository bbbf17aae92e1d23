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
    "Incident",
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
    "Step",
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

Step = (
    StateEntered
    | StateExited
    | ScopeOpened
    | TaskScheduled
    | TaskSucceeded
    | GraphStarted
    | CompositeFinished
    | ExecutionStarted
    | ExecutionSucceeded
)
"""What the book of an execution consists of that takes its course. Each of these classes is final, so that they may be
told apart by `type(event) is …`: where a class pattern does not fit, Python asks the metaclass of these records whether
it does after all, and ten such questions take longer than most facts take to be copied."""

Incident = (
    NodeSkipped
    | WaitStarted
    | MomentReached
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
"""Everything else that may happen, the frequent ones first."""

Event = Step | Incident
