"""Routes of schedules."""

from aws_lambda_powertools.event_handler import Response

from functions.api.auth.guard import caller
from functions.api.schedules import service
from functions.api.schedules.schemas import (
    Backfill,
    Backfilled,
    ChangeSchedule,
    CreateSchedule,
    Preview,
    PreviewSchedule,
    ReplaceSchedule,
    ScheduleDetail,
    SchedulePage,
    TriggeredView,
)
from functions.api.schedules.views import backfilled, preview, schedule_detail, schedule_view, triggered
from linkflow.runtime.calls import current_call
from linkflow.runtime.parameters import Cursor, Limit
from linkflow.runtime.routes import Routes
from linkflow.runtime.wiring import World
from linkflow.stores.schedules import Found

_TAGS = ["schedules"]
_ONE = "/api/v1/schedules/<schedule_id>"


def schedule_routes(routes: Routes, world: World) -> None:
    _collection(routes, world)
    _one(routes, world)
    _verbs(routes, world)


def _detail(world: World, found: Found) -> ScheduleDetail:
    current_call().answer_headers["ETag"] = f'"{found.schedule.revision}"'
    return schedule_detail(found, world.clock.now())


def _collection(routes: Routes, world: World) -> None:
    @routes.post("/api/v1/schedules", tags=_TAGS, summary="Start a workflow again and again", status_code=201)
    async def create_schedule(body: CreateSchedule) -> ScheduleDetail:
        key = current_call().headers.get("idempotency-key")
        return _detail(world, await service.create(world, caller().workspace, body, key))

    @routes.get("/api/v1/schedules", tags=_TAGS, summary="List schedules by name")
    async def list_schedules(limit: Limit = 50, cursor: Cursor = None) -> SchedulePage:
        found, following = await world.engine.schedules.listed(caller().workspace, limit, cursor)
        return SchedulePage(data=[schedule_view(one, world.clock.now()) for one in found], next_cursor=following)

    @routes.post("/api/v1/schedules/preview", tags=_TAGS, summary="When would it fire? Nothing is saved")
    async def preview_schedule(body: PreviewSchedule) -> Preview:
        after = world.clock.now() if body.after is None else body.after.timestamp()
        return preview(service.checked(body), after, body.count)


def _one(routes: Routes, world: World) -> None:
    @routes.get(_ONE, tags=_TAGS, summary="One schedule, its next firings and its last")
    async def get_schedule(schedule_id: str) -> ScheduleDetail:
        return _detail(world, await world.engine.schedules.get(caller().workspace, schedule_id))

    @routes.put(_ONE, tags=_TAGS, summary="Replace a schedule; If-Match: its ETag")
    async def replace_schedule(schedule_id: str, body: ReplaceSchedule) -> ScheduleDetail:
        return _detail(world, await service.replaced(world, caller().workspace, schedule_id, body, _revision()))

    @routes.patch(_ONE, tags=_TAGS, summary="Change a schedule; If-Match: its ETag")
    async def change_schedule(schedule_id: str, body: ChangeSchedule) -> ScheduleDetail:
        return _detail(world, await service.changed(world, caller().workspace, schedule_id, body, _revision()))

    @routes.delete(_ONE, tags=_TAGS, summary="Delete a schedule; its executions stay", status_code=204)
    async def delete_schedule(schedule_id: str) -> Response[None]:
        await world.engine.schedules.delete(caller().workspace, schedule_id)
        return Response(204)


def _revision() -> str | None:
    return current_call().headers.get("if-match")


def _verbs(routes: Routes, world: World) -> None:
    @routes.post(f"{_ONE}/pause", tags=_TAGS, summary="Fire no more, until resumed")
    async def pause_schedule(schedule_id: str) -> ScheduleDetail:
        return _detail(world, await service.paused(world, caller().workspace, schedule_id, True))

    @routes.post(f"{_ONE}/resume", tags=_TAGS, summary="Fire again, from now on")
    async def resume_schedule(schedule_id: str) -> ScheduleDetail:
        return _detail(world, await service.paused(world, caller().workspace, schedule_id, False))

    @routes.post(f"{_ONE}/trigger", tags=_TAGS, summary="Start an execution of it now", status_code=202)
    async def trigger_schedule(schedule_id: str) -> TriggeredView:
        key = current_call().headers.get("idempotency-key")
        return triggered(world, await service.triggered(world, caller().workspace, schedule_id, key))

    @routes.post(f"{_ONE}/backfill", tags=_TAGS, summary="Make up for a range of the past", status_code=202)
    async def backfill_schedule(schedule_id: str, body: Backfill) -> Backfilled:
        return backfilled(await service.backfilled(world, caller().workspace, schedule_id, body))
