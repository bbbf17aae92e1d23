"""Routes of workspaces."""

from functions.api.auth.guard import caller
from functions.api.operations.schemas import OperationView
from functions.api.operations.views import operation_view
from functions.api.workspaces import service
from linkflow.runtime.routes import Routes
from linkflow.runtime.wiring import World


def workspace_routes(routes: Routes, world: World) -> None:
    @routes.delete(
        "/api/v1/workspaces/<workspace_id>",
        tags=["workspaces"],
        summary="Delete everything of a workspace, in the background",
        status_code=202,
    )
    async def delete_workspace(workspace_id: str, confirm: str = "", reason: str = "") -> OperationView:
        return operation_view(await service.delete(world, caller(), workspace_id, confirm, reason))
