"""Filters as callers write them in a query string, and the query they mean; the same behind every door.

A search attribute is asked for by `attribute=NAME=VALUE`, `attribute=NAME>=NUMBER` or `attribute=NAME<=NUMBER`. A
value is what it would be in JSON (a number, true, false, "a text in quotes"), and a text otherwise. What is given
more than once must all hold, but for `status`, of which one is enough.
"""

import re
from datetime import UTC, datetime
from typing import Literal, get_args
from urllib.parse import parse_qsl

import msgspec
from pydantic import Field

from linkflow.errors import Fault, Invalid
from linkflow.execution.state import Status
from linkflow.runtime.calls import current_call
from linkflow.runtime.routes import Schema
from linkflow.search import Attribute, Query, Sort, Span, Value, read_text
from linkflow.stores import index_keys

SortedBy = Literal["started_at", "-started_at", "closed_at", "-closed_at", "duration", "-duration"]
MOST = 10
"""Tags, attributes or words that one query may name."""
_WISH = re.compile(r"(?P<name>[^=<>]+)(?P<how>>=|<=|=)(?P<value>.*)", re.DOTALL)


class Filters(Schema):
    """What may be asked for; everything that is given must hold."""

    status: list[Status] = Field(default_factory=list, description="One or several statuses; any of them.")
    workflow: str | None = Field(None, min_length=1, max_length=100, description="Id of the workflow.")
    version: int | None = Field(None, ge=1, description="Version of the workflow.")
    trigger: str | None = Field(
        None, min_length=1, max_length=50, description="What started it; `map`: parts of wide Maps."
    )
    started_from: datetime | None = Field(None, description="Started then or later (RFC 3339; without a zone: UTC).")
    started_to: datetime | None = Field(None, description="Started then or before.")
    closed_from: datetime | None = Field(None, description="Ended then or later.")
    closed_to: datetime | None = Field(None, description="Ended then or before.")
    min_duration: float | None = Field(None, ge=0, description="Took so many seconds at least, and is over.")
    max_duration: float | None = Field(None, ge=0, description="Took so many seconds at most, and is over.")
    business_key: str | None = Field(None, min_length=1, max_length=500, description="Exactly this business key.")
    business_key_prefix: str | None = Field(None, min_length=1, max_length=500, description="Begins so.")
    tag: list[str] = Field(default_factory=list, max_length=MOST, description="Has this tag; several: all of them.")
    attribute: list[str] = Field(
        default_factory=list, max_length=MOST, description='NAME=VALUE, NAME>=NUMBER, NAME<=NUMBER; zip="01234" a text.'
    )
    error: str | None = Field(None, min_length=1, max_length=500, description="Failed with this error code.")
    parent: str | None = Field(None, min_length=1, max_length=100, description="Child executions of this execution.")
    text: str | None = Field(
        None, min_length=1, max_length=200, description="Words of its name, business key or error, or its id."
    )
    archived: bool = Field(False, description="Those in the archive, instead of those that are not.")


def query_of(workspace: str, filters: Filters, sort: SortedBy = "-started_at") -> tuple[Query, str | None]:
    """The query, and the id of the only execution that may fit. Raises `Invalid` with every fault."""
    faults: list[Fault] = []
    spans = (
        _span("started", _moment(filters.started_from), _moment(filters.started_to), faults),
        _span("closed", _moment(filters.closed_from), _moment(filters.closed_to), faults),
        _span("duration", filters.min_duration, filters.max_duration, faults),
    )
    wishes = tuple(wish for text in filters.attribute if (wish := _wish(text, faults)) is not None)
    only, words = read_text(filters.text) if filters.text else (None, ())
    if filters.text and only is None and not words:
        faults.append(Fault("$.query.text", "no_words", "There is no word in it; words are letters and digits."))
    if len(words) > MOST:
        faults.append(Fault("$.query.text", "too_many_words", f"Search for at most {MOST} words."))
    if faults:
        raise Invalid("The request", faults)
    shelf = index_keys.archived_executions if filters.archived else index_keys.listed_executions
    column, descending = sort.removeprefix("-"), sort.startswith("-")
    query = Query(
        shelf(workspace),
        tuple(sorted(set(filters.status))),
        filters.workflow,
        filters.version,
        filters.trigger,
        *spans,
        filters.business_key,
        filters.business_key_prefix,
        tuple(sorted(set(filters.tag))),
        wishes,
        filters.error,
        filters.parent,
        words,
        _sort(column),
        descending,
    )
    return query, only


def refuse_unknown(*others: str) -> None:
    """A filter that is not there would be left out of account without a word. Raises `Invalid`, naming all there are.
    `others` are the parameters that the route takes besides."""
    known = {*Filters.model_fields, *others}
    given = {name for name, _ in parse_qsl(current_call().query, keep_blank_values=True)}
    faults = [
        Fault(f"$.query.{name}", "unknown_filter", f"There is no filter '{name}', but: {', '.join(sorted(known))}.")
        for name in sorted(given - known)
    ]
    if faults:
        raise Invalid("The request", faults)


def _sort(column: str) -> Sort:
    return next(sort for sort in get_args(Sort) if sort == column)


def _moment(given: datetime | None) -> float | None:
    if given is None:
        return None
    return (given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp()


def _span(name: str, first: float | None, last: float | None, faults: list[Fault]) -> Span:
    if first is not None and last is not None and first > last:
        low, high = ("min_duration", "max_duration") if name == "duration" else (f"{name}_from", f"{name}_to")
        faults.append(Fault(f"$.query.{low}", "empty_range", f"It is above {high}, so nothing could fit."))
    return Span(first, last)


def _wish(text: str, faults: list[Fault]) -> Attribute | None:
    found = _WISH.fullmatch(text)
    if found is None or not found["name"].strip():
        told = f"'{text}' is not NAME=VALUE, NAME>=NUMBER or NAME<=NUMBER."
        faults.append(Fault("$.query.attribute", "not_understood", told))
        return None
    name, value = found["name"].strip(), _value(found["value"])
    if found["how"] == "=":
        return Attribute(name, value)
    if isinstance(value, bool | str):
        faults.append(Fault("$.query.attribute", "no_number", f"'{text}': only numbers are more or less than another."))
        return None
    return Attribute(name, span=Span(first=value) if found["how"] == ">=" else Span(last=value))


def _value(text: str) -> Value:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return text
    return value if isinstance(value, bool | str) else float(value) if isinstance(value, int | float) else text
