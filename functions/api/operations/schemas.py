"""What callers send and get about operations on many executions. Times are RFC 3339 in UTC."""

from typing import Literal

from pydantic import Field

from linkflow.runtime.routes import Schema
from linkflow.runtime.searching import Filters


class CreateOperation(Schema):
    """`cancel` and `terminate` concern open executions, `retry` those that failed, timed out, or were ended: each is
    taken up again from where it failed. A filter that names nothing needs `everything`. `redrive` sends dead letters
    again, of one `queue` or of all, and takes no filter. What began after this was asked for is left alone."""

    action: Literal["cancel", "terminate", "retry", "redrive"]
    filter: Filters = Filters()
    queue: str | None = Field(None, min_length=1, max_length=80)
    everything: bool = False
    reason: str = Field("", max_length=1_000)


class TroubleView(Schema):
    execution: str
    message: str


class OperationView(Schema):
    """`seen` executions were looked at so far: `done`, `skipped` (over already, or nothing to do), or `failed`."""

    id: str
    action: str
    status: Literal["running", "done", "cancelled", "failed"]
    stage: str = ""
    seen: int
    done: int
    skipped: int
    failed: int
    troubles: list[TroubleView]
    by: str
    reason: str
    created_at: str
    finished_at: str | None = None


class OperationPage(Schema):
    data: list[OperationView]
    next_cursor: str | None = None
