"""What the API answers, as records. Fields that a newer server adds are passed over; times are aware, in UTC."""

from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

Json = Any
T = TypeVar("T")


class Record(msgspec.Struct, frozen=True, kw_only=True):
    pass


class Page(Record, Generic[T], frozen=True, kw_only=True):
    data: tuple[T, ...]
    next_cursor: str | None = None


class Detail(Record, frozen=True, kw_only=True):
    """One fault of what was sent, or one warning about it."""

    path: str
    code: str
    message: str


class Finding(Detail, frozen=True, kw_only=True):
    """One thing that a check found."""

    severity: str


class Failure(Record, frozen=True, kw_only=True):
    code: str | None = None
    message: str | None = None
    node: str | None = None
    path: str = ""

    def __str__(self) -> str:
        place = f"in '{'/'.join(part for part in (self.path, self.node) if part)}'" if self.node else None
        return ": ".join(part for part in (place, self.code, self.message) if part)


class Hook(Record, frozen=True, kw_only=True):
    """Whoever has the URL can start the workflow at `node`."""

    node: str
    url: str


class Workflow(Record, frozen=True, kw_only=True):
    """`definition` is None in lists."""

    id: str
    name: str
    dialect: str
    version: int
    created_at: datetime
    updated_at: datetime
    hooks: tuple[Hook, ...] = ()
    warnings: tuple[Detail, ...] = ()
    definition: Json = None


class Outcome(Record, frozen=True, kw_only=True):
    """What is known of an execution right after its start."""

    id: str
    status: str
    output: Json = None
    error: Failure | None = None


class Begun(Record, frozen=True, kw_only=True):
    """An execution that goes on in the place of another."""

    id: str


class Summary(Record, frozen=True, kw_only=True):
    """An execution in a list; `error` is its code."""

    id: str
    workflow: str
    version: int
    status: str
    trigger: str
    started_at: datetime
    name: str = ""
    closed_at: datetime | None = None
    error: str | None = None
    business_key: str | None = None
    tags: tuple[str, ...] = ()
    attributes: dict[str, str | float | bool] = {}
    parent: str | None = None
    archived: bool = False


class Count(Record, frozen=True, kw_only=True):
    """Executions by status; with a `next_cursor` more are to be added."""

    counts: dict[str, int]
    next_cursor: str | None = None


class Attempt(Record, frozen=True, kw_only=True):
    attempt: int
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: Failure | None = None


class Node(Record, frozen=True, kw_only=True):
    """One entry into one node. `path` names the iterations around it; `exit` is the branch it left by."""

    node: str
    status: str
    entered_at: datetime
    path: str = ""
    exited_at: datetime | None = None
    waits_until: datetime | None = None
    input: Json = None
    output: Json = None
    exit: str | None = None
    error: Failure | None = None
    attempts: tuple[Attempt, ...] = ()


class Execution(Record, frozen=True, kw_only=True):
    id: str
    workflow: str
    version: int
    status: str
    trigger: str
    started_at: datetime
    closed_at: datetime | None = None
    input: Json = None
    output: Json = None
    error: Failure | None = None
    nodes: tuple[Node, ...] = ()


class Event(Record, frozen=True, kw_only=True):
    """One recorded fact. `turn` orders what was recorded together."""

    turn: int
    at: datetime
    type: str
    data: dict[str, Json]


class Events(Record, frozen=True, kw_only=True):
    """Ask again behind `next_after` until `closed`."""

    data: tuple[Event, ...]
    next_after: int
    closed: bool
