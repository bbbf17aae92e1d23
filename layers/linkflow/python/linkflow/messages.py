"""What travels on queues, and the queues. Services know each other by this page only.

Every message may come twice, late or not at all. `Wake` and `Alarm` are hints: they make somebody look at the book,
which alone knows. What somebody has to tell an execution is written into its book first (`engine/news.py`).
"""

import msgspec

from linkflow.execution.commands import RunTask
from linkflow.ports import QueueSpec

LANE = QueueSpec("lane", fifo=True, visibility=15, max_receives=20)
"""The per-execution line: group = execution id, so that one visit at a time drives an execution."""
TASKS = QueueSpec("tasks", visibility=120, max_receives=4)
"""Tasks that do not run inside the visit."""
TIMERS = QueueSpec("timers", visibility=30, max_receives=8)
"""Delayed alarms of up to fifteen minutes."""

CLOSED = QueueSpec("closed", visibility=60, max_receives=20)
"""Executions that are over, where somebody else than its visit has to be told of it."""

QUEUES = (LANE, TASKS, TIMERS, CLOSED)


class Wake(msgspec.Struct, frozen=True, tag="wake"):
    """Look at this execution."""

    workspace: str
    execution: str


class TaskMessage(msgspec.Struct, frozen=True, tag="task"):
    """Run this task and bring its outcome back through the lane."""

    workspace: str
    execution: str
    task: RunTask


class Alarm(msgspec.Struct, frozen=True, tag="alarm"):
    """At the moment `at` (seconds since 1970) something of this execution is due."""

    workspace: str
    execution: str
    at: float


class Due(msgspec.Struct, frozen=True, tag="due"):
    """Look at this schedule: something of it may have to fire now."""

    workspace: str
    schedule: str


class Closed(msgspec.Struct, frozen=True, tag="closed"):
    """This execution is over."""

    workspace: str
    execution: str


Timer = Alarm | Due
"""What stands in the queue `timers`."""
