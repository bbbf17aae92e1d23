"""Routes of the rules that a workspace sets for hosts, credentials, task queues and node types."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path

from functions.api.auth.guard import caller
from functions.api.limits import service
from functions.api.limits.schemas import LimitList, LimitView, SetLimit
from linkflow.runtime.routes import Routes
from linkflow.runtime.wiring import World

_TAGS = ["limits"]
Name = Annotated[str, Path(min_length=3, max_length=300, description="`host:…`, `credential:…`, `queue:…`, `type:…`.")]


def limit_routes(routes: Routes, world: World) -> None:
    @routes.get("/api/v1/limits", tags=_TAGS, summary="The workspace's limits, and how full they are")
    async def list_limits() -> LimitList:
        return await service.listed(world, caller().workspace)

    @routes.put("/api/v1/limits/<name>", tags=_TAGS, summary="Set a limit, or isolate a node type")
    async def set_limit(name: Name, body: SetLimit) -> LimitView:
        return await service.put(world, caller().workspace, name, body)

    @routes.delete("/api/v1/limits/<name>", tags=_TAGS, summary="Take a limit away", status_code=204)
    async def delete_limit(name: Name) -> None:
        await service.delete(world, caller().workspace, name)
