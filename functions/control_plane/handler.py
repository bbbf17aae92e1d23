"""control plane: is every part of the engine well?"""

from collections.abc import Sequence

from aws_lambda_powertools.event_handler import Response

from functions.control_plane import service
from linkflow.runtime.functions import Function, HttpRoutes
from linkflow.runtime.routes import Routes, to_json_bytes
from linkflow.runtime.wiring import World


def functions(world: World) -> Sequence[Function]:
    routes = Routes()

    @routes.get("/health", tags=["health"], summary="Is every part well?")
    async def get_health() -> Response[bytes]:
        view = await service.health(world)
        return Response(200 if view.status == "ok" else 503, "application/json", to_json_bytes(view))

    return [Function("control_plane_http", "control_plane", HttpRoutes(routes))]
