"""A recurrence: a rule on a zone's clock, within a window of time.

Its due moments are one set of whole seconds, given by the record alone, in which `next_due` steps forward: whoever asks
from wherever finds the same ones, so that none is lost or doubled between any two instants, and what is previewed is
what fires. Jitter moves the firing, never the due moment.
"""

from collections.abc import Iterator
from hashlib import blake2b
from math import ceil, floor
from typing import Final

import msgspec

from linkflow.language.recurrence.cron import next_cron
from linkflow.language.recurrence.zones import zone_named

_END: Final = 253_370_764_800
"""The year 9999, at which calendars here end; they begin in 1970."""


class Cron(msgspec.Struct, frozen=True, tag="cron"):
    expression: str


class Interval(msgspec.Struct, frozen=True, tag="interval"):
    """Every `every` seconds, counted from `anchor` in both directions."""

    every: int
    anchor: int = 0


class Dates(msgspec.Struct, frozen=True, tag="dates"):
    """These moments, ascending."""

    moments: tuple[int, ...]


class Recurrence(msgspec.Struct, frozen=True, omit_defaults=True):
    """From `starts_at` to `ends_at`, both included; each firing up to `jitter` seconds late."""

    rule: Cron | Interval | Dates
    zone: str = "UTC"
    jitter: int = 0
    starts_at: float | None = None
    ends_at: float | None = None


def next_due(recurrence: Recurrence, after: float) -> int | None:
    """The first due moment behind `after`; None when no more come."""
    begin = max(-1, floor(after))
    if recurrence.starts_at is not None:
        begin = max(begin, ceil(recurrence.starts_at) - 1)
    found = _next(recurrence, begin) if begin < _END else None
    if found is None or found >= _END or (recurrence.ends_at is not None and found > recurrence.ends_at):
        return None
    return found


def due_between(recurrence: Recurrence, after: float, until: float) -> Iterator[int]:
    """The due moments in (after, until], ascending."""
    moment = next_due(recurrence, after)
    while moment is not None and moment <= until:
        yield moment
        moment = next_due(recurrence, moment)


def last_due(recurrence: Recurrence, after: float, until: float) -> int | None:
    """The last due moment in (after, until]. Looks back further and further, so that it costs little however many
    there are."""
    back = 60.0
    while until > after:
        found = list(due_between(recurrence, max(after, until - back), until))
        if found:
            return found[-1]
        if until - back <= after:
            break
        back *= 2
    return None


def upcoming(recurrence: Recurrence, after: float, count: int) -> list[int]:
    """The next `count` due moments, fewer if no more come."""
    found: list[int] = []
    moment = next_due(recurrence, after)
    while moment is not None and len(found) < count:
        found.append(moment)
        moment = next_due(recurrence, moment)
    return found


def fires_at(recurrence: Recurrence, name: str, due: int) -> float:
    """When the due moment of the schedule `name` fires: up to `jitter` seconds later, always the same for both."""
    drawn = int.from_bytes(blake2b(f"{name}/{due}".encode(), digest_size=8).digest(), "big") / 2**64
    return due + round(drawn * recurrence.jitter, 3)


def _next(recurrence: Recurrence, after: int) -> int | None:
    match recurrence.rule:
        case Cron(expression):
            return next_cron(expression, after, zone_named(recurrence.zone))
        case Interval(every, anchor):
            return anchor + ((after - anchor) // every + 1) * every
        case Dates(moments):
            return next((moment for moment in moments if moment > after), None)
