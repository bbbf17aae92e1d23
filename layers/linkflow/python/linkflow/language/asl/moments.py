"""Times as Step Functions reads them, and the Wait state's moment in its four forms.

A timestamp is RFC 3339's profile of ISO 8601 with a capital T between date and time and an offset at the end (`Z` or
`+01:00`); fractions of a second beyond microseconds are cut off.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from linkflow.language.asl.failures import plain, query, runtime
from linkflow.language.asl.paths import as_number, resolve
from linkflow.language.asl.queries import Query, is_query
from linkflow.language.flow import Moment
from linkflow.language.json import Json
from linkflow.language.jsonpath import JsonPath, PathNotFound
from linkflow.language.jsonpath import compile as compile_path
from linkflow.language.view import View

LONGEST_WAIT: Final = 2**31 - 1
"""Seconds: a little over 68 years (recorded: 24,855 days are accepted, 24,856 are not)."""

_TIMESTAMP: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2}(?::\d{2})?)", re.ASCII
)
_FORMAT: Final = "ISO-8601 extended offset date-time format string"


def parse_timestamp(text: Json) -> float | None:
    """Seconds since 1970; None when `text` is not a timestamp."""
    found = _TIMESTAMP.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    whole, fraction, offset = found.groups()
    try:
        moment = datetime.fromisoformat(whole + (offset.replace("Z", "+00:00"))).timestamp()
    except (ValueError, OverflowError):
        return None
    return moment + float(f"0.{fraction}") if fraction else moment


class Delay:
    """`Seconds`, a number or an expression for one."""

    __slots__ = ("_query", "_seconds")

    def __init__(self, value: Json) -> None:
        self._query = Query(value, "Seconds", "number") if is_query(value) else None
        self._seconds = 0.0 if self._query else float(value)

    def until(self, view: View) -> float:
        if self._query is None:
            return bounded(view, view.around.now + self._seconds)
        seconds = self._query.evaluate(view)
        if seconds != int(seconds):
            raise query(f"The Seconds field cannot be parsed as a long value: {plain(seconds)}", "Seconds")
        if seconds < 0:
            raise query(f"The Seconds field references a negative value: {plain(seconds)}", "Seconds")
        return bounded(view, view.around.now + seconds)


class DelayPath:
    """`SecondsPath`."""

    __slots__ = ("_path",)

    def __init__(self, source: str) -> None:
        self._path = compile_path(source)

    def until(self, view: View) -> float:
        value = _referenced("SecondsPath", self._path, view)
        seconds = as_number(value)
        shown = f"{self._path.source} == {plain(value)}"
        if seconds is None:
            raise runtime(f"The SecondsPath parameter cannot be parsed as a long value: {shown}")
        if seconds < 0:
            raise runtime(f"The SecondsPath parameter references a negative value: {shown}")
        return bounded(view, view.around.now + seconds)


class Timestamp:
    """`Timestamp`, a text or an expression for one."""

    __slots__ = ("_moment", "_query")

    def __init__(self, value: Json) -> None:
        self._query = Query(value, "Timestamp", "string") if is_query(value) else None
        self._moment = None if self._query else parse_timestamp(value)

    def until(self, view: View) -> float:
        if self._query is None:
            return bounded(view, self._moment or 0.0)
        value = self._query.evaluate(view)
        moment = parse_timestamp(value)
        if moment is None:
            raise query(f"The Timestamp field cannot be parsed as an {_FORMAT}: {value}", "Timestamp")
        return bounded(view, moment)


class TimestampPath:
    """`TimestampPath`."""

    __slots__ = ("_path",)

    def __init__(self, source: str) -> None:
        self._path = compile_path(source)

    def until(self, view: View) -> float:
        value = _referenced("TimestampPath", self._path, view)
        moment = parse_timestamp(value)
        if moment is None:
            shown = f"{self._path.source} == {plain(value)}"
            raise runtime(f"The TimestampPath parameter does not reference a valid {_FORMAT}: {shown}")
        return bounded(view, moment)


def _referenced(field: str, path: JsonPath, view: View) -> Json:
    try:
        return resolve(path, view)
    except PathNotFound as error:
        raise runtime(f"The {field} parameter does not reference an input value: {path.source}") from error


def bounded(view: View, moment: float) -> float:
    if moment - view.around.now > LONGEST_WAIT:
        raise runtime("Wait state delay is too long.")
    return moment


def compile_moment(state: Mapping[str, Json]) -> Moment:
    if "Seconds" in state:
        return Delay(state["Seconds"])
    if "SecondsPath" in state:
        return DelayPath(state["SecondsPath"])
    if "TimestampPath" in state:
        return TimestampPath(state["TimestampPath"])
    return Timestamp(state["Timestamp"])
