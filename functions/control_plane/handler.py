"""control plane: is every part of the engine well; settings for all functions; who is held."""

from collections.abc import Sequence

from aws_lambda_powertools.event_handler import Response

from functions.control_plane import health, service
from functions.control_plane.schemas import (
    ChangeSettings,
    ClusterView,
    HealthView,
    HoldRequest,
    HoldsView,
    Maintenance,
    SettingsView,
)
from functions.control_plane.views import cluster_view, holds_view, settings_view, worst
from linkflow.engine.holds import Scope
from linkflow.runtime.functions import Function, HttpRoutes
from linkflow.runtime.registry import NodeTypes, node_types
from linkflow.runtime.routes import Routes, to_json_bytes
from linkflow.runtime.signed import SCHEME, signature_guard, signer
from linkflow.runtime.wiring import World

_TAGS = ["cluster"]
_WORKSPACE = "/engine/v1/workspaces/<workspace_id>"
_WORKFLOW = "/engine/v1/workflows/<workflow_id>"


def functions(world: World) -> Sequence[Function]:
    public, signed = Routes(), Routes(signature_guard(world), SCHEME)
    _health(public, world)
    _cluster(signed, world)
    _workspaces(signed, world)
    _workflows(signed, world)
    return [
        Function("control_plane_http", "control_plane", HttpRoutes(public)),
        Function("control_plane_engine_http", "control_plane", HttpRoutes(signed)),
    ]


def _health(routes: Routes, world: World) -> None:
    @routes.get("/health", tags=["health"], summary="Is every part well?")
    async def get_health() -> Response[bytes]:
        parts = await health.vital(world)
        view = HealthView(status=worst(parts), parts=parts)
        return Response(503 if view.status == "failing" else 200, "application/json", to_json_bytes(view))


def _cluster(routes: Routes, world: World) -> None:
    @routes.get("/engine/v1/cluster", tags=_TAGS, summary="Every part, every queue, settings and holds")
    async def get_cluster() -> ClusterView:
        return cluster_view(await health.everything(world), await world.engine.switchboard.controls(0))

    @routes.post("/engine/v1/cluster/maintenance", tags=_TAGS, summary="Pause or drain the engine, or let it go on")
    async def set_maintenance(body: Maintenance) -> HoldsView:
        return holds_view(await service.maintain(world, body, signer().name))

    @routes.get("/engine/v1/settings", tags=_TAGS, summary="What all functions go by")
    async def get_settings() -> SettingsView:
        return settings_view(await world.engine.switchboard.controls(0))

    @routes.put("/engine/v1/settings", tags=_TAGS, summary="Change what all functions go by, within half a minute")
    async def put_settings(body: ChangeSettings) -> SettingsView:
        return settings_view(await service.change_settings(world, body))

    @routes.get("/engine/v1/nodes", tags=_TAGS, summary="The node types, their forms and exits")
    async def list_nodes() -> NodeTypes:
        controls = await world.engine.switchboard.controls()
        return node_types(world.engine.nodes, controls, signer().workspace)


def _workspaces(routes: Routes, world: World) -> None:
    @routes.post(f"{_WORKSPACE}/pause", tags=_TAGS, summary="Its executions stop at their next turn")
    async def pause_workspace(workspace_id: str, body: HoldRequest) -> HoldsView:
        return holds_view(await service.hold_scope(world, Scope(workspace_id), "pause", body, signer().name))

    @routes.post(f"{_WORKSPACE}/drain", tags=_TAGS, summary="What runs runs to its end, what comes waits")
    async def drain_workspace(workspace_id: str, body: HoldRequest) -> HoldsView:
        return holds_view(await service.hold_scope(world, Scope(workspace_id), "drain", body, signer().name))

    @routes.post(f"{_WORKSPACE}/resume", tags=_TAGS, summary="Everything of it goes on")
    async def resume_workspace(workspace_id: str) -> HoldsView:
        return holds_view(await service.release_scope(world, Scope(workspace_id)))


def _workflows(routes: Routes, world: World) -> None:
    """Of the workspace that the call names."""

    @routes.post(f"{_WORKFLOW}/pause", tags=_TAGS, summary="Its executions stop at their next turn")
    async def pause_workflow(workflow_id: str, body: HoldRequest) -> HoldsView:
        scope = Scope(signer().workspace, workflow_id)
        return holds_view(await service.hold_scope(world, scope, "pause", body, signer().name))

    @routes.post(f"{_WORKFLOW}/drain", tags=_TAGS, summary="What runs runs to its end, what comes waits")
    async def drain_workflow(workflow_id: str, body: HoldRequest) -> HoldsView:
        scope = Scope(signer().workspace, workflow_id)
        return holds_view(await service.hold_scope(world, scope, "drain", body, signer().name))

    @routes.post(f"{_WORKFLOW}/resume", tags=_TAGS, summary="Everything of it goes on")
    async def resume_workflow(workflow_id: str) -> HoldsView:
        return holds_view(await service.release_scope(world, Scope(signer().workspace, workflow_id)))
