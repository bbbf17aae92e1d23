"""What callers send and get about approvals. Times are RFC 3339 in UTC."""

from typing import Any, Literal

from pydantic import Field

from linkflow.runtime.routes import Schema


class Decide(Schema):
    decision: Literal["approved", "rejected"]
    comment: str = Field("", max_length=10_000)
    data: Any = Field(None, description="What the approval's form asks for.")


class DecisionView(Schema):
    by: str
    decision: str
    comment: str = ""
    data: Any = None
    at: str


class ApprovalView(Schema):
    """`status`: pending, approved, rejected, expired, or withdrawn (the execution went on or ended without it)."""

    id: str
    status: str
    execution: str
    workflow: str
    node: str
    title: str
    message: str
    assignees: list[str]
    required: int
    allow_self: bool
    form: dict[str, Any] | None = None
    created_at: str
    expires_at: str | None = None
    decisions: list[DecisionView]


class ApprovalPage(Schema):
    data: list[ApprovalView]
    next_cursor: str | None = None
