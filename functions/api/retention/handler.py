"""Routes of retention."""

from functions.api.auth.guard import caller
from functions.api.retention import service
from functions.api.retention.schemas import RetentionView
from linkflow.runtime.routes import Routes
from linkflow.runtime.wiring import World

_TAGS = ["retention"]


def retention_routes(routes: Routes, world: World) -> None:
    @routes.get("/api/v1/retention", tags=_TAGS, summary="How long executions are kept")
    async def get_retention() -> RetentionView:
        return await service.retention(world, caller().workspace)

    @routes.put("/api/v1/retention", tags=_TAGS, summary="Say how long executions are kept")
    async def set_retention(body: RetentionView) -> RetentionView:
        return await service.set_retention(world, caller().workspace, body)
