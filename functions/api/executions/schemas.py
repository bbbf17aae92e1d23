"""What callers get about executions. Times are RFC 3339 in UTC."""

from typing import Any

from pydantic import Field

from linkflow.runtime.routes import Schema


class ErrorView(Schema):
    code: str | None
    message: str | None


class SummaryView(Schema):
    id: str
    workflow: str
    version: int
    status: str
    trigger: str
    name: str = ""
    started_at: str
    closed_at: str | None = None
    error: str | None = None


class SummaryPage(Schema):
    data: list[SummaryView]
    next_cursor: str | None = None


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


class ExecutionDetail(ExecutionView):
    nodes: list[NodeView] = Field(default_factory=list)


class EventView(Schema):
    """One recorded fact. `turn` orders what was recorded together."""

    turn: int
    at: str
    type: str
    data: dict[str, Any]


class EventPage(Schema):
    """`next_after` goes on behind the last turn shown; it stays usable while the execution is open."""

    data: list[EventView]
    next_after: int
    closed: bool


class HistoryEventView(Schema):
    """One event as Step Functions' GetExecutionHistory names it."""

    id: int
    previous_event_id: int
    type: str
    timestamp: str
    details: dict[str, Any]


class HistoryView(Schema):
    data: list[HistoryEventView]


class SendSignal(Schema):
    """`id` names the signal: sent again with the same one it is heard once."""

    name: str = Field(min_length=1, max_length=200)
    payload: Any = None
    id: str | None = Field(None, min_length=1, max_length=200)


class SignalSent(Schema):
    id: str


class Wish(Schema):
    """`reason` is kept in the execution's book."""

    reason: str = Field("", max_length=1000)
