"""A recurrence as people write it: the parameters of a `schedule` node, and of a schedule made over the API."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field
from pydantic_core import PydanticCustomError

from linkflow.errors import Fault
from linkflow.language.recurrence.cron import fields
from linkflow.language.recurrence.recurrence import Cron, Dates, Interval, Recurrence, next_due
from linkflow.language.recurrence.zones import first_showing, zone_named

Overlap = Literal["allow", "skip", "queue", "cancel_previous"]
Misfire = Literal["skip", "one", "all"]
MOST_DATES: Final = 1_000
_RULES: Final = ("cron", "every", "dates")
_YEARS: Final = range(1970, 9999)


def _cron(text: str) -> str:
    try:
        fields(text)
    except ValueError as error:
        raise PydanticCustomError("bad_cron", "{said}", {"said": str(error)}) from None
    return text


def _zone(name: str) -> str:
    try:
        zone_named(name)
    except ValueError as error:
        raise PydanticCustomError("bad_timezone", "{said}", {"said": str(error)}) from None
    return name


def _date(date: datetime) -> datetime:
    if date.year not in _YEARS:
        raise PydanticCustomError("bad_date", f"Years from {_YEARS[0]} to {_YEARS[-1]} are known here.")
    return date


class RecurrenceForm(BaseModel):
    """Exactly one of `cron`, `every` and `dates`."""

    cron: Annotated[
        Annotated[str, AfterValidator(_cron)] | None,
        Field(max_length=200, description="Five fields, such as '30 9 * * MON-FRI'."),
    ] = None
    every: Annotated[int | None, Field(ge=1, le=31_622_400, description="An interval in whole seconds.")] = None
    dates: Annotated[
        list[Annotated[datetime, AfterValidator(_date)]] | None,
        Field(min_length=1, max_length=MOST_DATES, description="Moments; without an offset they are in `timezone`."),
    ] = None
    timezone: Annotated[str, AfterValidator(_zone), Field(description="An IANA name, such as Europe/Berlin.")] = "UTC"
    anchor: Annotated[
        AwareDatetime | None,
        Field(description="What intervals are counted from: `starts_at`, or else 1970-01-01T00:00Z, unless told."),
    ] = None
    starts_at: Annotated[AwareDatetime | None, Field(description="Nothing is due before.")] = None
    ends_at: Annotated[AwareDatetime | None, Field(description="Nothing is due behind it.")] = None
    jitter: Annotated[int, Field(ge=0, le=86_400, description="Each firing is up to so many seconds late.")] = 0
    overlap: Annotated[Overlap, Field(description="What happens when the execution before is still running.")] = "allow"
    misfire: Annotated[Misfire, Field(description="Which due moments are made up for that nobody could fire.")] = "one"
    misfire_window: Annotated[
        int, Field(ge=60, le=31_622_400, description="Seconds after which a missed moment is not made up for.")
    ] = 86_400


def recurrence_faults(form: RecurrenceForm, path: str = "$") -> Sequence[Fault]:
    """What is wrong with the whole of a form whose parts are right."""
    found = list(_faults(form))
    if not found and next_due(to_recurrence(form), -1) is None:
        found.append(Fault("$.ends_at", "never_due", "Nothing is due between starts_at and ends_at."))
    return [Fault(path + fault.path.removeprefix("$"), fault.code, fault.message) for fault in found]


def _faults(form: RecurrenceForm) -> Iterator[Fault]:
    given = [name for name in _RULES if getattr(form, name) is not None]
    if len(given) != 1:
        said = f"{' and '.join(given)} are given" if given else "none is"
        yield Fault("$", "one_rule", f"Give one of 'cron', 'every' and 'dates'; {said}.")
    if form.anchor is not None and form.every is None:
        yield Fault("$.anchor", "anchor_without_interval", "Only an interval ('every') is counted from an anchor.")
    if form.starts_at and form.ends_at and form.ends_at < form.starts_at:
        yield Fault("$.ends_at", "ends_before_start", "This lies before starts_at.")


def to_recurrence(form: RecurrenceForm) -> Recurrence:
    """The record of a form without faults."""
    starts_at = form.starts_at.timestamp() if form.starts_at else None
    ends_at = form.ends_at.timestamp() if form.ends_at else None
    return Recurrence(_rule(form), form.timezone, form.jitter, starts_at, ends_at)


def _rule(form: RecurrenceForm) -> Cron | Interval | Dates:
    if form.cron is not None:
        return Cron(form.cron)
    if form.every is not None:
        anchor = form.anchor or form.starts_at
        return Interval(form.every, int(anchor.timestamp()) if anchor else 0)
    zone = zone_named(form.timezone)
    moments = {
        int(date.timestamp()) if date.tzinfo else first_showing(date.replace(microsecond=0), zone)
        for date in form.dates or ()
    }
    return Dates(tuple(sorted(moments)))
