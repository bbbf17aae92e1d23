"""What callers get about executions. Times are RFC 3339 in UTC."""

from typing import Any

from pydantic import Field

from linkflow.runtime.descriptions import Headline, Standing
from linkflow.runtime.routes import Schema
from linkflow.runtime.views import ErrorView


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


class ExecutionView(Headline):
    input: Any = None
    output: Any = None


class ExecutionDetail(Standing, ExecutionView):
    """What it is at besides its nodes; what the fields mean is told at the engine's door. `archived`: it is read from
    the archive."""

    archived: bool = False
    nodes: list[NodeView] = Field(default_factory=list)
