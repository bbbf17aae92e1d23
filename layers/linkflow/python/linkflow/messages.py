"""What travels on queues, and the queues. Services know each other by this page only.

Every message is a hint or a fact that may come twice, late or not at all: a hint (`Wake`, `Alarm`) makes somebody look
at the book, which alone knows; a fact (`news`) passes the core's gate, which drops what it has already heard.
"""

import msgspec

from linkflow.execution.commands import RunTask
from linkflow.execution.events import News
from linkflow.ports import QueueSpec

LANE = QueueSpec("lane", fifo=True, visibility=15, max_receives=20)
"""The per-execution line: group = execution id, so that one visit at a time drives an execution."""
TASKS = QueueSpec("tasks", visibility=120, max_receives=4)
"""Tasks that do not run inside the visit."""
TIMERS = QueueSpec("timers", visibility=30, max_receives=8)
"""Delayed alarms of up to fifteen minutes."""

QUEUES = (LANE, TASKS, TIMERS)


class Wake(msgspec.Struct, frozen=True, tag="wake"):
    """Look at this execution; `news` is what somebody has to tell it, or `blob` names where that is."""

    workspace: str
    execution: str
    news: tuple[News, ...] = ()
    blob: str | None = None


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
