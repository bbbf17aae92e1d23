"""Cron: five fields (minute, hour, day of month, month, day of week) against a wall clock. croniter reads them and
walks over walls, where its arithmetic is right; what the clocks of the world do to it is decided here, as Vixie's cron
does:

- **A fixed time** (neither minute nor hour begins with `*`) comes once a day that has it: a time that the clock skips
  comes at the moment after the gap, one that is shown twice comes the first time only.
- **A pattern** (`*` or `*/n` as minute or hour) goes with the clock: what is skipped never comes, what is shown twice
  comes twice, so that every minute stays every minute.

Day of month and day of week: either will do when both are given, unless one of them begins with `*` (also Vixie's).
Names (`MON`, `jan`), ranges, steps, lists, `L` (last day; `L5`: the last Friday), `5#2` (the second Friday), `15W` (the
working day nearest to it) and `@hourly` … `@yearly` are known. Seconds, and what is drawn by lot (`H`, `R`), are not.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from croniter import CroniterBadCronError, CroniterBadDateError, croniter

from linkflow.language.recurrence.zones import first_showing, put_back, showings, wall

EXAMPLE: Final = "Example: '30 9 * * MON-FRI' is half past nine from Monday to Friday."
_FIELDS: Final = ("minute", "hour", "day of month", "month", "day of week")
_LARGEST: Final = (59, 23, 31, 12, 7)
_NAMES: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_YEARS: Final = 50
"""Within so many years an expression must come, or it never does (the 30th of February)."""
_LOT: Final = re.compile(r"(?<![A-Za-z])[HRhr](?![A-Za-z])")
_STEP: Final = re.compile(r"/(\d+)")
_ONE: Final = re.compile(r"(?<![\w#-])(\w+)-\1(?:/\d+)?(?![\w-])")
"""A range of one value, which croniter takes for all of them."""


@lru_cache(maxsize=2_000)
def fields(expression: str) -> tuple[str, ...]:
    """The five fields. Raises `ValueError`, whose message says what is wrong and gives an example."""
    known = _NAMES.get(expression.strip().lower(), expression)
    given = _ONE.sub(r"\1", known.replace("?", "*")).split()
    if len(given) != len(_FIELDS):
        raise ValueError(f"{_miscounted(given)} {EXAMPLE}")
    for text, name, largest in zip(given, _FIELDS, _LARGEST, strict=True):
        _check(text, name, largest)
    try:
        _walk(" ".join(given), datetime(2000, 1, 1)).get_next(datetime)  # noqa: DTZ001 (a wall has no zone)
    except CroniterBadDateError:
        raise ValueError("No day has this date, so it would never come.") from None
    except (CroniterBadCronError, ValueError, KeyError) as error:
        raise ValueError(f"'{expression}' is no cron expression: {_said(error)}. {EXAMPLE}") from None
    return tuple(given)


def _walk(expression: str, after: datetime) -> croniter:
    return croniter(expression, after, max_years_between_matches=_YEARS, implement_cron_bug=True)


def _miscounted(given: list[str]) -> str:
    if len(given) == 1 and given[0].startswith("@"):
        return f"There is no '{given[0]}'; known are {', '.join(sorted(_NAMES))}."
    hint = " Seconds cannot be given; for less than a minute use 'every'." if len(given) in (6, 7) else ""
    return f"A cron expression has five fields ({', '.join(_FIELDS)}), this has {len(given)}.{hint}"


def _check(text: str, name: str, largest: int) -> None:
    """What croniter would take for something else than was meant. Raises `ValueError`."""
    if _LOT.search(text):
        raise ValueError(f"The {name} '{text}' is drawn by lot; give a number, or use 'jitter'. {EXAMPLE}")
    too_long = [step for step in _STEP.findall(text) if int(step) > largest]
    if too_long:
        raise ValueError(f"The {name} '{text}' steps by {too_long[0]}, but goes no further than {largest}. {EXAMPLE}")
    low = 1 if largest in (31, 12) else 0
    numbers = [int(number) for number in re.findall(r"(?<![/#\d])\d+", text)]
    if outside := [number for number in numbers if not low <= number <= largest]:
        raise ValueError(f"The {name} '{text}' holds {outside[0]}; it goes from {low} to {largest}. {EXAMPLE}")


def _said(error: Exception) -> str:
    return re.sub(r"^\[.*?\] (is )?", "", str(error)).rstrip(".") or "not understood"


def is_pattern(expression: str) -> bool:
    """Whether it goes with the clock, twice when the clock is put back."""
    minute, hour, *_ = fields(expression)
    return minute.startswith("*") or hour.startswith("*")


def next_cron(expression: str, after: int, zone: ZoneInfo) -> int | None:
    """The first due moment behind `after`; None when no more come."""
    return _next_of_pattern(expression, after, zone) if is_pattern(expression) else _next_fixed(expression, after, zone)


def _next_fixed(expression: str, after: int, zone: ZoneInfo) -> int | None:
    for shown in _walls(expression, wall(after, zone)):
        moment = first_showing(shown, zone)
        if moment > after:
            return moment
    return None


def _next_of_pattern(expression: str, after: int, zone: ZoneInfo) -> int | None:
    """Before the clock is put back, times go on as they are; at that moment they begin again further back."""
    back = put_back(after, zone)
    found = _next_shown(expression, after, wall(after, zone), zone)
    if back is None or found is None or found < back:
        return found
    return _next_shown(expression, back - 1, wall(back, zone) - timedelta(seconds=1), zone)


def _next_shown(expression: str, after: int, shown_after: datetime, zone: ZoneInfo) -> int | None:
    """The first moment behind `after` that shows a fitting time behind `shown_after`."""
    for shown in _walls(expression, shown_after):
        if later := [moment for moment in showings(shown, zone) if moment > after]:
            return later[0]
    return None


def _walls(expression: str, after: datetime) -> Iterator[datetime]:
    """The fitting times behind `after`, in order, on a clock that never jumps."""
    walk = _walk(" ".join(fields(expression)), after)
    while True:
        try:
            shown: datetime = walk.get_next(datetime)
        except (CroniterBadDateError, OverflowError, ValueError):
            return
        yield shown
