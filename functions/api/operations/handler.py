"""Routes of operations on many executions, in the background, with progress."""

from functions.api.auth.guard import caller
from functions.api.operations import service
from functions.api.operations.schemas import CreateOperation, OperationPage, OperationView
from functions.api.operations.views import operation_view
from linkflow.runtime.calls import current_call
from linkflow.runtime.parameters import Cursor, Limit
from linkflow.runtime.routes import Routes
from linkflow.runtime.wiring import World

_TAGS = ["bulk operations"]


def operation_routes(routes: Routes, world: World) -> None:
    @routes.post("/api/v1/bulk-operations", tags=_TAGS, summary="Do something to many executions", status_code=202)
    async def create_operation(body: CreateOperation) -> OperationView:
        key = current_call().headers.get("idempotency-key")
        return operation_view(await service.create(world, caller(), body, key))

    @routes.get("/api/v1/bulk-operations", tags=_TAGS, summary="List operations, newest first")
    async def list_operations(limit: Limit = 50, cursor: Cursor = None) -> OperationPage:
        found, following = await world.engine.operations.listed(caller().workspace, limit, cursor)
        return OperationPage(data=[operation_view(one) for one in found], next_cursor=following)

    @routes.get("/api/v1/bulk-operations/<operation_id>", tags=_TAGS, summary="How far an operation came")
    async def get_operation(operation_id: str) -> OperationView:
        return operation_view(await world.engine.operations.get(caller().workspace, operation_id))

    @routes.post(
        "/api/v1/bulk-operations/<operation_id>/cancel", tags=_TAGS, summary="Call an operation off", status_code=202
    )
    async def cancel_operation(operation_id: str) -> OperationView:
        return operation_view(await service.call_off(world, caller().workspace, operation_id))
