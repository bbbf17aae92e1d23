"""The facts of tasks: owed, begun, submitted, ended, and interrupted with the visit that ran them. Part of `events`,
which has the unions.
"""

from collections.abc import Mapping
from typing import Any, final

from msgspec import UNSET

from linkflow.execution.lifecycle import Fact, Value
from linkflow.language.json import Json


@final
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


@final
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


class VisitResumed(Fact, frozen=True):
    """A visit died with its process, and another one took over (its lane message came again). `tasks` are those the
    dead visit was running: a task that keeps killing its process is given up after some of these."""

    tasks: tuple[int, ...]
