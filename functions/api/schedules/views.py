"""Records of schedules as callers see them."""

from functions.api.executions.views import address
from functions.api.schedules.schemas import (
    Backfilled,
    BackfilledView,
    FiringView,
    MomentView,
    Preview,
    ScheduleDetail,
    ScheduleView,
    TriggeredView,
)
from linkflow.language.recurrence.recurrence import Recurrence, upcoming
from linkflow.language.recurrence.zones import zone_named, zoned_text
from linkflow.runtime.views import time_view
from linkflow.runtime.wiring import World
from linkflow.stores.schedules import Firing, Found, Schedule

_NEXT = 10


def schedule_view(schedule: Schedule, now: float, after: float | None = None, count: int = 1) -> ScheduleView:
    """`after`: from where on the next firings are told; a paused schedule has none."""
    begin = now if after is None else after
    following = [] if schedule.paused else upcoming(schedule.recurrence, begin, count)
    return ScheduleView(
        id=schedule.id,
        name=schedule.name,
        workflow=schedule.workflow,
        recurrence=schedule.form,
        overlap=schedule.overlap,
        misfire=schedule.misfire,
        misfire_window=schedule.misfire_window,
        input=schedule.input,
        node=schedule.node,
        origin=schedule.origin,
        paused=schedule.paused,
        revision=schedule.revision,
        created_at=time_view(schedule.created_at),
        updated_at=time_view(schedule.updated_at),
        next=[_moment(schedule.recurrence, due) for due in following],
    )


def schedule_detail(found: Found, now: float) -> ScheduleDetail:
    """What is due and not yet decided about is among the next."""
    standing = found.standing
    after = now if standing.due is None else min(now, standing.due - 1)
    return ScheduleDetail(
        **schedule_view(found.schedule, now, after, _NEXT).model_dump(),
        waiting=[time_view(due) for due in standing.waiting],
        log=[_firing(firing) for firing in reversed(standing.log)],
    )


def preview(recurrence: Recurrence, after: float, count: int) -> Preview:
    return Preview(data=[_moment(recurrence, due) for due in upcoming(recurrence, after, count)])


def backfilled(started: list[tuple[int, str, bool]]) -> Backfilled:
    views = [BackfilledView(due_at=time_view(due), execution=name, started=new) for due, name, new in started]
    return Backfilled(data=views)


def triggered(world: World, execution: str) -> TriggeredView:
    return TriggeredView(id=execution, url=address(world, execution))


def _moment(recurrence: Recurrence, due: int) -> MomentView:
    return MomentView(due_at=time_view(due), due_at_local=zoned_text(due, zone_named(recurrence.zone)))


def _firing(firing: Firing) -> FiringView:
    return FiringView(
        due_at=time_view(firing.due),
        at=time_view(firing.at),
        execution=firing.execution,
        skipped=firing.skipped or None,
        until=time_view(firing.until),
    )
