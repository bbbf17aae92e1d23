"""visibility: what programs find executions by, and each day what is old goes to the archive."""

from collections.abc import Sequence

from functions.visibility import service
from linkflow.runtime.functions import Function, HttpRoutes, Schedule
from linkflow.runtime.routes import Routes
from linkflow.runtime.search_routes import search_routes
from linkflow.runtime.signed import SCHEME, signature_guard, signer
from linkflow.runtime.wiring import World

DAY = 86_400


def functions(world: World) -> Sequence[Function]:
    routes = Routes(signature_guard(world), SCHEME)
    search_routes(routes, world, "/engine/v1/executions", ["engine"], lambda: signer().workspace)

    async def keep(now: float) -> None:
        await service.keep(world, now)

    return [
        Function("visibility_http", "visibility", HttpRoutes(routes)),
        Function("visibility_retention", "visibility", Schedule(DAY, keep), timeout=900),
    ]
