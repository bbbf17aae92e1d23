"""What callers get about executions. Times are RFC 3339 in UTC."""

from typing import Any

from pydantic import Field

from linkflow.runtime.descriptions import (
    ErrorView,
    PauseView,
    PendingSignalView,
    PendingTaskView,
    PendingTimerView,
    ResetOfView,
)
from linkflow.runtime.resetting import ResetPoint
from linkflow.runtime.routes import Schema


class AttemptView(Schema):
    attempt: int
    started_at: str | None = None
    finished_at: str | None = None
    error: ErrorView | None = None


class NodeView(Schema):
    node: str
    path: str = ""
    status: str
    entered_at: str
    exited_at: str | None = None
    waits_until: str | None = None
    input: Any = None
    output: Any = None
    exit: str | None = None
    error: ErrorView | None = None
    attempts: list[AttemptView] = Field(default_factory=list)


class ExecutionView(Schema):
    id: str
    workflow: str
    version: int
    status: str
    trigger: str
    started_at: str
    closed_at: str | None = None
    input: Any = None
    output: Any = None
    error: ErrorView | None = None
    queued: str | None = None
    """The limit it waits for before it begins."""


class ExecutionDetail(ExecutionView):
    """What it is at besides its nodes; what the fields mean is told at the engine's door. `archived`: it is read from
    the archive."""

    archived: bool = False

    name: str = ""
    business_key: str = ""
    tags: list[str] = Field(default_factory=list)
    attributes: dict[str, str | float | bool] = Field(default_factory=dict)
    priority: int = 0
    reason: str | None = None
    paused: PauseView | None = None
    parent: str | None = None
    continued_from: str | None = None
    continued_as: str | None = None
    chain: str | None = None
    reset_of: ResetOfView | None = None
    reset_to: str | None = None
    tasks: list[PendingTaskView] = Field(default_factory=list)
    timers: list[PendingTimerView] = Field(default_factory=list)
    signals: list[PendingSignalView] = Field(default_factory=list)
    nodes: list[NodeView] = Field(default_factory=list)


class Wish(Schema):
    """`reason` is kept in the execution's book."""

    reason: str = Field("", max_length=1000)


class ResetExecution(ResetPoint, Wish):
    """Take it up again from there."""
