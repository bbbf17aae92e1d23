"""Cron against a second reading of the same five fields, minute by minute, and against what clocks do."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkflow.language.recurrence.cron import fields, is_pattern
from linkflow.language.recurrence.recurrence import Cron, Recurrence, due_between, next_due, upcoming

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Africa/Casablanca",
)


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def shown(due: int, zone: str) -> str:
    return datetime.fromtimestamp(due, ZoneInfo(zone)).strftime("%d %H:%M %z")


def fired(expression: str, zone: str, begin: str, until: str) -> list[str]:
    """What the zone's clock shows at each firing from `begin` (UTC, included) to `until`."""
    recurrence = Recurrence(Cron(expression), zone)
    return [shown(due, zone) for due in due_between(recurrence, moment(begin) - 1, moment(until))]


# ---------------------------------------------------------------- the clock is put forward


def test_a_skipped_time_comes_at_the_moment_after_the_gap() -> None:
    assert fired("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00Z", "2026-03-30T12:00Z") == [
        "28 02:30 +0100",
        "29 03:00 +0200",
        "30 02:30 +0200",
    ]
    assert fired("30 2 * * *", "America/New_York", "2026-03-07T12:00Z", "2026-03-09T12:00Z") == [
        "08 03:00 -0400",
        "09 02:30 -0400",
    ]


def test_several_skipped_times_and_one_right_after_come_once() -> None:
    assert fired("0,30 2,3 * * *", "Europe/Berlin", "2026-03-29T00:00Z", "2026-03-29T12:00Z") == [
        "29 03:00 +0200",
        "29 03:30 +0200",
    ]


def test_half_an_hour_is_skipped_on_lord_howe() -> None:
    assert fired("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00Z", "2026-10-05T00:00Z") == [
        "04 02:30 +1100",
        "05 02:15 +1100",
    ]


def test_midnight_was_skipped_in_sao_paulo_and_a_day_in_samoa() -> None:
    assert fired("0 0 * * *", "America/Sao_Paulo", "2018-11-03T00:00Z", "2018-11-05T12:00Z") == [
        "03 00:00 -0300",
        "04 01:00 -0200",
        "05 00:00 -0200",
    ]
    assert fired("0 12 * * *", "Pacific/Apia", "2011-12-29T00:00Z", "2011-12-31T12:00Z") == [
        "29 12:00 -1000",
        "31 00:00 +1400",
        "31 12:00 +1400",
    ]


def test_a_pattern_leaves_out_what_is_skipped() -> None:
    assert fired("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:30Z", "2026-03-29T01:30Z") == [
        "29 01:30 +0100",
        "29 03:00 +0200",
        "29 03:30 +0200",
    ]
    assert fired("*/20 2 * * *", "Europe/Berlin", "2026-03-29T00:00Z", "2026-03-29T23:00Z") == []


# ---------------------------------------------------------------- the clock is put back


def test_a_time_shown_twice_comes_the_first_time_only() -> None:
    assert fired("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z", "2026-10-26T12:00Z") == [
        "25 02:30 +0200",
        "26 02:30 +0100",
    ]
    assert fired("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00Z", "2026-04-05T12:00Z") == ["05 01:45 +1100"]


def test_a_pattern_comes_twice_then() -> None:
    assert fired("*/30 * * * *", "America/New_York", "2026-11-01T05:00Z", "2026-11-01T07:00Z") == [
        "01 01:00 -0400",
        "01 01:30 -0400",
        "01 01:00 -0500",
        "01 01:30 -0500",
        "01 02:00 -0500",
    ]
    assert fired("*/15 1 * * *", "Australia/Lord_Howe", "2026-04-04T13:00Z", "2026-04-04T16:00Z") == [
        "05 01:00 +1100",
        "05 01:15 +1100",
        "05 01:30 +1100",
        "05 01:45 +1100",
        "05 01:30 +1030",
        "05 01:45 +1030",
    ]


def test_odd_offsets_are_kept() -> None:
    assert upcoming(Recurrence(Cron("0 6 * * *"), "Asia/Kathmandu"), moment("2026-01-01T00:00Z"), 1) == [
        moment("2026-01-01T00:15Z")
    ]


# ---------------------------------------------------------------- the set of due moments


def numbers(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    step = st.integers(1, high)
    one = st.one_of(
        number.map(str),
        st.tuples(number, number).map(lambda pair: f"{min(pair)}-{max(pair)}"),
        st.tuples(number, number, step).map(lambda three: f"{min(three[:2])}-{max(three[:2])}/{three[2]}"),
    )
    return st.one_of(
        st.just("*"), step.map("*/{}".format), st.lists(one, min_size=1, max_size=3).map(",".join), number.map(str)
    )


EXPRESSIONS = st.tuples(
    numbers(0, 59), numbers(0, 23), st.just("*") | numbers(1, 28), st.just("*") | numbers(1, 12), numbers(0, 6)
).map(" ".join)
MOMENTS = st.integers(moment("2010-01-01T00:00Z"), moment("2030-01-01T00:00Z"))


def values(field: str, low: int, high: int) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = (f"{low}-{high}" if span == "*" else span).partition("-")
        found.update(range(int(first), int(last or first) + 1, int(step or 1)))
    return found


def fits(expression: str, time: datetime) -> bool:
    minute, hour, day, month, weekday = expression.split()
    on_day = time.day in values(day, 1, 31)
    on_weekday = time.isoweekday() % 7 in values(weekday, 0, 6)
    both = day.startswith("*") or weekday.startswith("*")
    return (
        time.minute in values(minute, 0, 59)
        and time.hour in values(hour, 0, 23)
        and time.month in values(month, 1, 12)
        and (on_day and on_weekday if both else on_day or on_weekday)
    )


@settings(deadline=None)
@given(EXPRESSIONS, st.sampled_from(ZONES), MOMENTS)
def test_the_next_one_is_the_first_minute_that_fits(expression: str, zone: str, after: int) -> None:
    """Over two days, minute by minute, by the rules of the module: patterns go with the clock, fixed times come once
    the clock has first shown them or a later time."""
    clock = ZoneInfo(zone)
    found = next_due(Recurrence(Cron(expression), zone), after)
    step = 60
    highest = max(datetime.fromtimestamp(t, clock).replace(tzinfo=None) for t in range(after - 93_600, after + 1, 900))
    before = max(highest, datetime.fromtimestamp(after, clock).replace(tzinfo=None))
    expected = None
    for now in range(after - after % step + step, after + 2 * 86_400, step):
        wall = datetime.fromtimestamp(now, clock).replace(tzinfo=None)
        if is_pattern(expression):
            due = fits(expression, wall)
        else:
            passed = int((wall - before).total_seconds()) // 60 if wall > before else 0
            due = any(
                before < time <= wall and fits(expression, time)
                for time in (wall - timedelta(minutes=back) for back in range(min(passed, 1_500) + 1))
            )
            before = max(before, wall)
        if due:
            expected = now
            break
    if expected is None:
        assert found is None or found >= after + 2 * 86_400 - step
    else:
        assert found == expected, (shown(found, zone) if found else None, shown(expected, zone))


@settings(deadline=None)
@given(EXPRESSIONS, st.sampled_from(ZONES), MOMENTS, st.lists(st.integers(0, 3 * 86_400), min_size=1, max_size=5))
def test_none_is_lost_or_doubled_between_any_instants(expression: str, zone: str, begin: int, cuts: list[int]) -> None:
    recurrence = Recurrence(Cron(expression), zone)
    limit = begin + 3 * 86_400
    if sum(1 for _ in zip(range(300), due_between(recurrence, begin, limit), strict=False)) == 300:
        limit = begin + 3 * 3_600
    whole = list(due_between(recurrence, begin, limit))
    assert all(one < other for one, other in pairwise(whole))
    edges = sorted({begin, limit, *(begin + cut for cut in cuts if begin + cut < limit)})
    assert [due for one, other in pairwise(edges) for due in due_between(recurrence, one, other)] == whole


# ---------------------------------------------------------------- what is written


@pytest.mark.parametrize(
    ("expression", "first"),
    [
        ("0 0 L * *", "2026-01-31T00:00Z"),
        ("0 9 * * L5", "2026-01-30T09:00Z"),
        ("0 9 * * 5#2", "2026-01-09T09:00Z"),
        ("0 9 15W 2 *", "2026-02-16T09:00Z"),
        ("0 0 * feb SUN", "2026-02-01T00:00Z"),
        ("0 0 * * 7", "2026-01-04T00:00Z"),
        ("0 0 29 2 *", "2028-02-29T00:00Z"),
        ("@weekly", "2026-01-04T00:00Z"),
        ("0 22-2 * * *", "2026-01-01T01:00Z"),
        ("0 0 13 * 5", "2026-01-02T00:00Z"),
        ("0 0 1-31 * 1", "2026-01-02T00:00Z"),
    ],
)
def test_names_ends_and_ordinals_are_known(expression: str, first: str) -> None:
    begin = datetime(2026, 1, 1, 0, 0, tzinfo=UTC).timestamp()
    assert next_due(Recurrence(Cron(expression)), begin) == moment(first)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("61 * * * *", "holds 61; it goes from 0 to 59"),
        ("0 0 * * 8", "it goes from 0 to 7"),
        ("0 0 0 * *", "it goes from 1 to 31"),
        ("* * * * * *", "Seconds cannot be given"),
        ("* * *", "this has 3"),
        ("", "this has 0"),
        ("@sometimes", "known are"),
        ("@reboot", "known are"),
        ("*/90 * * * *", "goes no further"),
        ("*/0 * * * *", "step '0'"),
        ("H * * * *", "drawn by lot"),
        ("R * * * *", "drawn by lot"),
        ("0 0 30 2 *", "never come"),
        ("0 noon * * *", "no cron expression"),
        ("0 0 * * MON-", "no cron expression"),
        ("1-2-3 * * * *", "no cron expression"),
        ("a" * 200, "this has 1"),
    ],
)
def test_a_wrong_expression_is_told_with_what_is_wrong(expression: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        fields(expression)


@settings(deadline=None)
@given(st.text("0123456789*/,-LW#? MONfrih@", max_size=30))
def test_any_text_is_an_expression_or_a_value_error(text: str) -> None:
    try:
        fields(text)
    except ValueError:
        return
    assert next_due(Recurrence(Cron(text)), 0) is not None
