"""Routes for trying a piece of a workflow by itself."""

from functions.api.auth.guard import caller
from functions.api.testing import service
from functions.api.testing.schemas import (
    NodeTested,
    Preview,
    PreviewExpressions,
    PreviewFailed,
    StateTested,
    TestNode,
    TestState,
)
from functions.api.testing.views import node_tested, previewed, state_tested
from linkflow.runtime.registry import NodeTypes, node_types
from linkflow.runtime.routes import Routes
from linkflow.runtime.wiring import World

_TAGS = ["testing"]


def testing_routes(routes: Routes, world: World) -> None:
    @routes.get("/api/v1/nodes", tags=_TAGS, summary="The node types, their forms and exits")
    async def list_nodes() -> NodeTypes:
        return node_types(world.engine.nodes, await world.engine.switchboard.controls(), caller().workspace)

    @routes.post("/api/v1/states/test", tags=_TAGS, summary="One state of the States Language by itself")
    async def test_state(body: TestState) -> StateTested:
        return state_tested(*await service.test_state(world, body), body.inspection_level)

    @routes.post("/api/v1/nodes/test", tags=_TAGS, summary="One node of a graph by itself")
    async def test_node(body: TestNode) -> NodeTested:
        return node_tested(await service.test_node(world, caller().workspace, body))

    @routes.post("/api/v1/expressions/preview", tags=_TAGS, summary="What expressions come to")
    async def preview_expressions(body: PreviewExpressions) -> Preview | PreviewFailed:
        return previewed(*await service.preview(world, caller().workspace, body))
