"""What callers send and get about schedules. Times are RFC 3339."""

from typing import Any

from pydantic import AwareDatetime, Field

from linkflow.language.recurrence.form import RecurrenceForm
from linkflow.runtime.routes import Schema


class CreateSchedule(Schema, RecurrenceForm):
    """`input` is handed to each execution; `node` is the trigger it starts at (graphs)."""

    name: str = Field(min_length=1, max_length=200)
    workflow: str = Field(description="The workflow's id, or its name.")
    input: Any = None
    node: str | None = None
    paused: bool = False


class ReplaceSchedule(Schema, RecurrenceForm):
    """Everything but the workflow."""

    name: str = Field(min_length=1, max_length=200)
    input: Any = None
    node: str | None = None


class ChangeSchedule(Schema):
    """What is not given stays as it is; a new rule (`cron`, `every`, `dates`) takes the place of the old one."""

    name: str | None = Field(None, min_length=1, max_length=200)
    input: Any = None
    node: str | None = None
    cron: Any = None
    every: Any = None
    dates: Any = None
    timezone: Any = None
    anchor: Any = None
    starts_at: Any = None
    ends_at: Any = None
    jitter: Any = None
    overlap: Any = None
    misfire: Any = None
    misfire_window: Any = None


class PreviewSchedule(Schema, RecurrenceForm):
    """A recurrence that need not be saved. `after`: now, unless told."""

    count: int = Field(10, ge=1, le=1_000)
    after: AwareDatetime | None = None


class Backfill(Schema):
    """Both ends belong to the range."""

    begin: AwareDatetime = Field(alias="from")
    until: AwareDatetime = Field(alias="to")


class MomentView(Schema):
    due_at: str
    due_at_local: str


class Preview(Schema):
    data: list[MomentView]


class FiringView(Schema):
    """`skipped` says why nothing was started; moments that were missed together are told from `due_at` to `until`."""

    due_at: str
    at: str
    execution: str | None = None
    skipped: str | None = None
    until: str | None = None


class ScheduleView(Schema):
    """`recurrence` is as it was written; `revision` counts changes (the `ETag`)."""

    id: str
    name: str
    workflow: str
    recurrence: dict[str, Any]
    overlap: str
    misfire: str
    misfire_window: int
    input: Any = None
    node: str | None = None
    origin: str
    paused: bool
    revision: int
    created_at: str
    updated_at: str
    next: list[MomentView]


class ScheduleDetail(ScheduleView):
    """`waiting` due moments wait for the execution before; `log` has the last ten results, newest first."""

    waiting: list[str]
    log: list[FiringView]


class SchedulePage(Schema):
    data: list[ScheduleView]
    next_cursor: str | None = None


class BackfilledView(Schema):
    """`started` False: the moment had fired, or was backfilled before."""

    due_at: str
    execution: str
    started: bool


class Backfilled(Schema):
    data: list[BackfilledView]


class TriggeredView(Schema):
    id: str
    url: str
