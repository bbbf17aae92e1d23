"""Clocks on walls: what a zone's clock shows at a moment, and when it shows what.

A wall clock jumps. In spring some times are never shown, in autumn some are shown twice, and a few zones have skipped
or repeated whole days. Two questions have answers for every time all the same, and both keep the order of times:
`first_showing`, the first moment at which the clock shows this time *or a later one*; `showings`, all moments at which
it shows exactly this time (none, one or two). Walls are datetimes without zone, moments whole seconds since 1970.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LONGEST_JUMP = 26 * 3_600
"""Seconds: no clock was ever put back further (a zone that changes sides of the date line repeats a day)."""


@lru_cache(maxsize=1_000)
def zone_named(name: str) -> ZoneInfo:
    """Raises `ValueError`, whose message says what to do."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"There is no time zone '{name[:64]}'. Use a name of the IANA list, such as Europe/Berlin or UTC."
        ) from None


def wall(moment: int, zone: ZoneInfo) -> datetime:
    """What the clock shows."""
    return datetime.fromtimestamp(moment, zone).replace(tzinfo=None, fold=0)


def zoned_text(moment: float, zone: ZoneInfo) -> str:
    """RFC 3339 with the zone's offset: `2026-03-29T03:00:00+02:00`."""
    return datetime.fromtimestamp(moment, zone).isoformat(timespec="seconds")


def first_showing(shown: datetime, zone: ZoneInfo) -> int:
    first, second = (_moment(shown, zone, fold) for fold in (0, 1))
    if wall(first, zone) == shown:
        return first
    # It is skipped: both readings lie on either side of the jump, or at it.
    return _jump(min(first, second), max(first, second), zone)


def showings(shown: datetime, zone: ZoneInfo) -> list[int]:
    moments = sorted({_moment(shown, zone, fold) for fold in (0, 1)})
    return [moment for moment in moments if wall(moment, zone) == shown]


def put_back(after: int, zone: ZoneInfo) -> int | None:
    """The moment within `LONGEST_JUMP` behind `after` at which the clock is put back; None: it is not."""
    later = after + LONGEST_JUMP
    if _offset(later, zone) >= _offset(after, zone):
        return None
    return _jump(after, later, zone)


def _moment(shown: datetime, zone: ZoneInfo, fold: int) -> int:
    offset = shown.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta()
    return int(shown.replace(tzinfo=UTC).timestamp()) - int(offset.total_seconds())


def _offset(moment: int, zone: ZoneInfo) -> timedelta:
    return datetime.fromtimestamp(moment, zone).utcoffset() or timedelta()


def _jump(before: int, behind: int, zone: ZoneInfo) -> int:
    """The first moment in (before, behind] with another offset than `before`, where there is one jump in it."""
    offset = _offset(before, zone)
    while behind - before > 1:
        middle = (before + behind) // 2
        before, behind = (middle, behind) if _offset(middle, zone) == offset else (before, middle)
    return behind
