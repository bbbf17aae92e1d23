"""Placement: the one place that decides where a task runs.

Here, inside the visit, unless the task may take longer than a visit does; then it goes to the task queue, and its
result comes back through the lane. The answer depends on the task alone, so that whoever takes over an execution knows
where each of its tasks is.
"""

from typing import Literal

import msgspec

from linkflow.execution.commands import RunTask
from linkflow.messages import TASKS, TaskMessage
from linkflow.ports import Send

Placement = Literal["here", "queue"]

_encoder = msgspec.json.Encoder()


def place(task: RunTask, visit: float | None) -> Placement:
    """`visit`: seconds that one visit may take; None: as many as it needs."""
    if visit is None or task.timeout is None or task.timeout <= visit:
        return "here"
    return "queue"


def dispatch(workspace: str, execution: str, task: RunTask) -> Send:
    """The message that takes a task to the queue's workers."""
    return Send(TASKS.name, _encoder.encode(TaskMessage(workspace, execution, task)))
