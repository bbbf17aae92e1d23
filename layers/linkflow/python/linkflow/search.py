"""What executions are found by: the facets they are put with, the query that names what is wanted, the Catalogue port.

`fits` is the meaning of a query; every adapter must find exactly what it lets through. Indexes only make that quick.
A query sorts by the start, the end or the duration; sorted by one of the latter two, a list holds closed executions
only. Cursors are opaque: a position in the order, sealed with a digest of the query they belong to.
"""

import base64
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal, Protocol

import msgspec

from linkflow.errors import Fault, Invalid

Value = str | float | bool
Sort = Literal["started_at", "closed_at", "duration"]
PART = "map"
"""The trigger of executions that work on a part of a Map; a query hides them unless it asks for that trigger, for
their parent."""
_WORD = re.compile(r"[^\W_]+")
_ID = re.compile(r"ex_[0-9A-Z]{26}", re.IGNORECASE)
_STEP = math.log(1.02)


class Facets(msgspec.Struct, frozen=True):
    """What one execution, named `id`, is found by. `shelf` holds what is searched together: the executions of a
    workspace, or those of its archive. Moments are seconds since 1970."""

    shelf: str
    id: str
    workflow: str
    version: int
    trigger: str
    status: str
    started_at: float
    closed_at: float | None = None
    error: str | None = None
    parent: str = ""
    name: str = ""
    business_key: str = ""
    tags: tuple[str, ...] = ()
    attributes: Mapping[str, Value] = {}

    @property
    def duration(self) -> float | None:
        return None if self.closed_at is None else max(0.0, self.closed_at - self.started_at)

    @property
    def pace(self) -> int | None:
        return None if self.duration is None else pace(self.duration)

    @property
    def words(self) -> frozenset[str]:
        """What a text is searched for in, the id aside."""
        return words_of(f"{self.name} {self.business_key} {self.error or ''}")

    def sorts_at(self, sort: Sort) -> float | None:
        return {"started_at": self.started_at, "closed_at": self.closed_at, "duration": self.duration}[sort]


@dataclass(frozen=True, slots=True)
class Span:
    """From `first` to `last`, both included; None: no bound."""

    first: float | None = None
    last: float | None = None

    @property
    def bounded(self) -> bool:
        return self.first is not None or self.last is not None

    def holds(self, value: float | None) -> bool:
        if not self.bounded:
            return True
        if value is None:
            return False
        return (self.first is None or value >= self.first) and (self.last is None or value <= self.last)


@dataclass(frozen=True, slots=True)
class Attribute:
    """The search attribute `name` is `equals` (of the same type), or a number in `span`."""

    name: str
    equals: Value | None = None
    span: Span = Span()

    def holds(self, value: Value | None) -> bool:
        if self.equals is not None:
            same_type = isinstance(value, bool) == isinstance(self.equals, bool)
            return same_type and value == self.equals
        return isinstance(value, float | int) and not isinstance(value, bool) and self.span.holds(value)


@dataclass(frozen=True, slots=True)
class Query:
    """All that is given must hold; an empty tuple or None asks for nothing. `tags` and `words` must all be there.
    `parts`: those that work on parts of Maps are not hidden."""

    shelf: str
    statuses: tuple[str, ...] = ()
    workflow: str | None = None
    version: int | None = None
    trigger: str | None = None
    started: Span = Span()
    closed: Span = Span()
    duration: Span = Span()
    business_key: str | None = None
    business_prefix: str | None = None
    tags: tuple[str, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    error: str | None = None
    parent: str | None = None
    words: tuple[str, ...] = ()
    sort: Sort = "started_at"
    descending: bool = True
    parts: bool = False

    @property
    def hides_parts(self) -> bool:
        return not self.parts and self.trigger is None and self.parent is None


def read_text(text: str) -> tuple[str | None, tuple[str, ...]]:
    """The execution that a text names by its id, and the other words in it."""
    found = _ID.search(text)
    return f"ex_{found[0][3:].upper()}" if found else None, tuple(sorted(words_of(_ID.sub(" ", text))))


def words_of(text: str) -> frozenset[str]:
    """Runs of letters and digits, without regard to case."""
    return frozenset(_WORD.findall(text.casefold()))


def fits(query: Query, one: Facets) -> bool:
    """Whether the query asks for this one."""
    return (
        one.shelf == query.shelf
        and (not query.statuses or one.status in query.statuses)
        and query.workflow in (None, one.workflow)
        and query.version in (None, one.version)
        and query.trigger in (None, one.trigger)
        and not (query.hides_parts and one.trigger == PART)
        and query.error in (None, one.error)
        and query.parent in (None, one.parent)
        and _fits_spans(query, one)
        and _fits_given(query, one)
    )


def _fits_spans(query: Query, one: Facets) -> bool:
    return (
        query.started.holds(one.started_at)
        and query.closed.holds(one.closed_at)
        and query.duration.holds(one.duration)
        and one.sorts_at(query.sort) is not None
    )


def _fits_given(query: Query, one: Facets) -> bool:
    """By what the caller gave at the start."""
    return (
        query.business_key in (None, one.business_key)
        and (query.business_prefix is None or one.business_key.startswith(query.business_prefix))
        and set(query.tags) <= set(one.tags)
        and all(wish.holds(one.attributes.get(wish.name)) for wish in query.attributes)
        and (not query.words or one.words >= set(query.words))
    )


# ---------------------------------------------------------------- figures


def pace(duration: float) -> int:
    """The class of a duration: each is 2 % longer than the one before, so that percentiles can be had from counts.
    Below a millisecond all are one."""
    return round(math.log(max(duration, 0.001)) / _STEP)


def paced(number: int) -> float:
    """The duration in the middle of a class, within 1 % of all in it."""
    return math.exp(number * _STEP)


# ---------------------------------------------------------------- cursors


class Position(msgspec.Struct, frozen=True, array_like=True):
    """Behind what a page goes on: the value it is sorted by, and who of several with that value it was."""

    digest: str
    at: float | str
    tie: int | str = 0


def cursor_of(query: Query, at: float | str, tie: int | str = 0) -> str:
    packed = msgspec.json.encode(Position(_digest(query), at, tie))
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def position_of(query: Query, cursor: str) -> Position:
    """Raises `Invalid` for what is no cursor, or that of another query."""
    try:
        position = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=Position)
    except (ValueError, msgspec.MsgspecError):
        raise _wrong_cursor("This is no cursor. Send `next_cursor` of the page before, as it came.") from None
    if position.digest != _digest(query):
        raise _wrong_cursor("This cursor belongs to another query. Keep filters and sort, or start without a cursor.")
    return position


def _wrong_cursor(message: str) -> Invalid:
    return Invalid("The request", [Fault("$.query.cursor", "wrong_cursor", message)])


def _digest(query: Query) -> str:
    return blake2b(msgspec.json.encode(query, order="deterministic"), digest_size=6).hexdigest()


# ---------------------------------------------------------------- the port


@dataclass(frozen=True, slots=True)
class Found:
    """Bodies of items, in the query's order; perhaps fewer than asked for, or none, though more follow: then `cursor`
    goes on. None: that was all."""

    bodies: Sequence[bytes]
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """So many executions of a workflow that began in the stretch of time at `at`, have a status and a pace (None:
    still open)."""

    workflow: str
    at: float
    status: str
    pace: int | None
    count: int


@dataclass(frozen=True, slots=True)
class Cells:
    """What was counted; with a `cursor` it is not all yet, and what is counted from there on adds to it."""

    cells: Sequence[Cell]
    cursor: str | None = None


class Catalogue(Protocol):
    """Finds what was put into the table with facets: on sqlite as of the last write, on AWS a moment later. All raise
    `Invalid` for a cursor of another query, or for what the store cannot sort."""

    async def announce(self, facets: Facets) -> None:
        """Before the item with these facets is put for the first time. What is announced and never put is not found.
        Announcing again changes nothing."""
        ...

    async def forget(self, facets: Facets) -> None:
        """After the item with these facets was deleted for good."""
        ...

    async def search(self, query: Query, limit: int, cursor: str | None = None) -> Found: ...

    async def count(self, query: Query, bucket: float | None = None, cursor: str | None = None) -> Cells:
        """How many fit, by status; with a `bucket` (seconds) also by workflow, stretch of time and pace. Without,
        `workflow`, `at` and `pace` say nothing."""
        ...
