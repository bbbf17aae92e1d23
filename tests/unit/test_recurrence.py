"""Recurrences as sets of moments, and as they are written."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from linkflow.language.graph.check import schema_faults
from linkflow.language.recurrence.form import RecurrenceForm, recurrence_faults, to_recurrence
from linkflow.language.recurrence.recurrence import (
    Cron,
    Dates,
    Interval,
    Recurrence,
    due_between,
    fires_at,
    last_due,
    next_due,
    upcoming,
)
from linkflow.language.recurrence.zones import first_showing, put_back, showings, wall, zone_named

NOON = int(datetime(2026, 11, 19, 12, tzinfo=UTC).timestamp())
RECURRENCES = st.one_of(
    st.builds(Interval, st.integers(1, 100_000), st.integers(0, 10_000)),
    st.lists(st.integers(NOON - 100_000, NOON + 100_000), min_size=1).map(lambda m: Dates(tuple(sorted(set(m))))),
    st.sampled_from(["0 * * * *", "30 2 * * *", "*/7 * * * *", "0 9 * * 1"]).map(Cron),
)


@settings(deadline=None)
@given(RECURRENCES, st.integers(NOON - 50_000, NOON + 50_000), st.integers(0, 20_000))
def test_the_last_one_is_the_last_of_all(rule: Interval, after: int, seconds: int) -> None:
    recurrence = Recurrence(rule, "Europe/Berlin")
    all_of_them = list(due_between(recurrence, after, after + seconds))
    assert last_due(recurrence, after, after + seconds) == (all_of_them[-1] if all_of_them else None)


@settings(deadline=None)
@given(RECURRENCES, st.floats(NOON - 5_000, NOON + 5_000), st.integers(1, 3))
def test_steps_go_forward_within_the_window(rule: Interval, after: float, count: int) -> None:
    recurrence = Recurrence(rule, starts_at=NOON - 3_000.5, ends_at=NOON + 3_000)
    found = upcoming(recurrence, after, count)
    assert found == sorted(set(found))
    assert all(max(after, NOON - 3_000.5) <= due <= NOON + 3_000 for due in found)
    assert found[:1] == ([] if next_due(recurrence, after) is None else [next_due(recurrence, after)])


@given(st.integers(0, 2**31), st.integers(0, 86_400))
def test_jitter_is_drawn_once_for_a_schedule_and_a_moment(due: int, jitter: int) -> None:
    recurrence = Recurrence(Interval(60), jitter=jitter)
    first = fires_at(recurrence, "sch_a", due)
    assert first == fires_at(recurrence, "sch_a", due)
    assert due <= first <= due + jitter


def test_jitter_is_spread_over_schedules_and_moments() -> None:
    recurrence = Recurrence(Interval(60), jitter=100)
    drawn = [fires_at(recurrence, f"sch_{n}", NOON) - NOON for n in range(200)]
    assert min(drawn) < 10
    assert max(drawn) > 90
    assert len({fires_at(recurrence, "sch_a", NOON + 60 * n) - 60 * n for n in range(50)}) > 40


def test_an_interval_counts_from_its_anchor_in_both_directions() -> None:
    assert next_due(Recurrence(Interval(3_600)), NOON + 1) == NOON + 3_600
    assert next_due(Recurrence(Interval(3_600, NOON + 7)), NOON) == NOON + 7
    assert next_due(Recurrence(Interval(3_600, NOON + 86_400 + 7)), NOON) == NOON + 7


def test_calendars_begin_and_end() -> None:
    daily = Recurrence(Cron("0 0 * * *"), "Pacific/Kiritimati")
    assert next_due(daily, -1e12) is not None
    assert next_due(daily, 1e12) is None
    assert next_due(Recurrence(Cron("0 0 29 2 *"), starts_at=2.5e11), 0) is not None
    late = RecurrenceForm(cron="0 0 * * *", starts_at=datetime(9999, 12, 31, 23, tzinfo=UTC))
    assert [fault.code for fault in recurrence_faults(late)] == ["never_due"]


# ---------------------------------------------------------------- clocks

ZONES = st.sampled_from(["Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "Asia/Kathmandu"])
WALLS = st.datetimes(datetime(1990, 1, 1), datetime(2035, 1, 1)).map(lambda time: time.replace(microsecond=0))  # noqa: DTZ001 (walls)


@settings(deadline=None)
@given(ZONES, WALLS, st.integers(0, 200_000))
def test_first_showings_keep_the_order_of_times(name: str, shown: datetime, later: int) -> None:
    zone = zone_named(name)
    assert first_showing(shown, zone) <= first_showing(shown + timedelta(seconds=later), zone)


@settings(deadline=None)
@given(ZONES, WALLS)
def test_a_clock_shows_what_it_is_said_to_show(name: str, shown: datetime) -> None:
    zone = zone_named(name)
    moments = showings(shown, zone)
    assert len(moments) <= 2
    assert all(wall(moment, zone) == shown for moment in moments)
    first = first_showing(shown, zone)
    assert wall(first, zone) >= shown > wall(first - 1, zone)
    if moments:
        assert first == moments[0]


def test_the_moment_at_which_a_clock_is_put_back_is_found() -> None:
    berlin = zone_named("Europe/Berlin")
    assert put_back(NOON, berlin) is None
    autumn = int(datetime(2026, 10, 24, 12, tzinfo=UTC).timestamp())
    assert put_back(autumn, berlin) == int(datetime(2026, 10, 25, 1, tzinfo=UTC).timestamp())


# ---------------------------------------------------------------- as written


def test_dates_are_those_of_the_zone_unless_they_say_where() -> None:
    form = RecurrenceForm.model_validate(
        {"dates": ["2026-03-29T02:30:00", "2026-03-29T02:30:00Z", "2026-03-29T02:30:00Z"], "timezone": "Europe/Berlin"}
    )
    assert to_recurrence(form).rule == Dates(
        (
            int(datetime(2026, 3, 29, 1, tzinfo=UTC).timestamp()),
            int(datetime(2026, 3, 29, 2, 30, tzinfo=UTC).timestamp()),
        )
    )


def test_everything_wrong_is_found_at_once() -> None:
    parts = {"cron": "* * * *", "dates": ["0999-01-01T00:00:00"], "timezone": "America", "jitter": -1}
    with pytest.raises(ValidationError) as raised:
        RecurrenceForm.model_validate(parts)
    assert {fault.path for fault in schema_faults(raised.value)} == {"$.cron", "$.dates[0]", "$.timezone", "$.jitter"}
    whole = {
        "cron": "* * * * *",
        "dates": ["2026-01-01T00:00:00"],
        "anchor": "2026-01-01T00:00:00Z",
        "starts_at": "2026-01-02T00:00:00Z",
        "ends_at": "2026-01-01T00:00:00Z",
    }
    found = recurrence_faults(RecurrenceForm.model_validate(whole), "$.x")
    assert {fault.path for fault in found} == {"$.x", "$.x.anchor", "$.x.ends_at"}
