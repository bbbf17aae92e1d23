"""Routes of workflows."""

import asyncio
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.api.auth.guard import caller
from functions.api.executions.views import execution_view
from functions.api.workflows import service
from functions.api.workflows.hooks import rotate
from functions.api.workflows.schemas import (
    CreateWorkflow,
    ExecuteBatch,
    ExecuteWorkflow,
    ExportedWorkflow,
    HoldWorkflow,
    HookView,
    RotateSecret,
    StartedBatch,
    WorkflowDetail,
    WorkflowPage,
    WorkflowView,
)
from functions.api.workflows.views import exported_view, hook_view, started_view, workflow_detail, workflow_view
from linkflow.engine.signal import signal_with_start
from linkflow.engine.start import start
from linkflow.engine.synchronous import start_and_wait
from linkflow.runtime.calls import current_call
from linkflow.runtime.parameters import Cursor, Limit, WaitSeconds
from linkflow.runtime.routes import Routes, to_json_bytes
from linkflow.runtime.telling import SignalledView, SignalOrStart, signalled_view, told
from linkflow.runtime.wiring import World
from linkflow.stores.records import Workflow

_TAGS = ["workflows"]
_ONE = "/api/v1/workflows/<workflow_id>"
Resource = Annotated[
    str,
    Query(
        max_length=500,
        pattern=r"^[^{}]*\{type\}[^{}]*$",
        description="What a node type becomes as a Task's Resource, such as arn:aws:lambda:…:function:linkflow-{type}.",
    ),
]


async def _detail(world: World, workflow: Workflow) -> WorkflowDetail:
    version = await world.engine.workflows.current(workflow)
    return workflow_detail(world, workflow, version, await world.engine.switchboard.controls())


def workflow_routes(routes: Routes, world: World) -> None:
    @routes.post("/api/v1/workflows", tags=_TAGS, summary="Create a workflow", status_code=201)
    async def create_workflow(body: CreateWorkflow) -> WorkflowView:
        workspace, express = caller().workspace, body.type == "EXPRESS"
        made = await service.create(
            world, workspace, body.name, body.dialect, body.definition, body.secrets, express=express
        )
        return workflow_view(world, made.workflow, made.warnings, made.secrets)

    @routes.get("/api/v1/workflows", tags=_TAGS, summary="List workflows by name")
    async def list_workflows(limit: Limit = 50, cursor: Cursor = None) -> WorkflowPage:
        found, following = await world.engine.workflows.listed(caller().workspace, limit, cursor)
        return WorkflowPage(data=[workflow_view(world, one) for one in found], next_cursor=following)

    @routes.get("/api/v1/workflows/<workflow_id>", tags=_TAGS, summary="One workflow with its definition")
    async def get_workflow(workflow_id: str) -> WorkflowDetail:
        workflow = await world.engine.workflows.get(caller().workspace, workflow_id)
        return await _detail(world, workflow)

    @routes.post(f"{_ONE}/pause", tags=_TAGS, summary="Its executions stop, or are drained")
    async def pause_workflow(workflow_id: str, body: HoldWorkflow) -> WorkflowDetail:
        return await _detail(world, await service.hold_workflow(world, caller(), workflow_id, body))

    @routes.post(f"{_ONE}/resume", tags=_TAGS, summary="Everything of it goes on")
    async def resume_workflow(workflow_id: str) -> WorkflowDetail:
        return await _detail(world, await service.release_workflow(world, caller().workspace, workflow_id))

    @routes.get("/api/v1/workflows/<workflow_id>/export", tags=_TAGS, summary="The definition, in either dialect")
    async def export_workflow(
        workflow_id: str, dialect: service.Dialect = "asl", resource: Resource = "linkflow:{type}"
    ) -> ExportedWorkflow:
        found, definition, warnings = await service.exported(world, caller().workspace, workflow_id, dialect, resource)
        return exported_view(found, dialect, definition, warnings)

    @routes.post(
        "/api/v1/workflows/<workflow_id>/hooks/<node>/secret", tags=_TAGS, summary="Give a webhook a new secret"
    )
    async def rotate_hook_secret(workflow_id: str, node: str, body: RotateSecret) -> HookView:
        found = await rotate(world, caller().workspace, workflow_id, node, body.secret, body.keep_old)
        return hook_view(world, *found)

    @routes.post("/api/v1/workflows/<workflow_id>/execute", tags=_TAGS, summary="Start an execution", status_code=202)
    async def execute_workflow(workflow_id: str, body: ExecuteWorkflow, wait: WaitSeconds = 0) -> Response[bytes]:
        key = current_call().headers.get("idempotency-key")
        (request,) = await service.requests(world, caller().workspace, workflow_id, [body], key, caller().user)
        outcome = await start_and_wait(world.engine, request, wait)
        execution, state = outcome.started.execution, outcome.state
        view = started_view(world, execution) if state is None else execution_view(state)
        return Response(202 if state is None else 200, "application/json", to_json_bytes(view))

    @routes.post(
        "/api/v1/workflows/<workflow_id>/execute/batch", tags=_TAGS, summary="Start many executions", status_code=202
    )
    async def execute_batch(workflow_id: str, body: ExecuteBatch) -> StartedBatch:
        key = current_call().headers.get("idempotency-key")
        requests = await service.requests(world, caller().workspace, workflow_id, body.executions, key, caller().user)
        started = await asyncio.gather(*(start(world.engine, request) for request in requests))
        return StartedBatch(data=[started_view(world, one) for one in started])

    @routes.post(
        "/api/v1/workflows/<workflow_id>/signal",
        tags=_TAGS,
        summary="Signal the open one, or start it",
        status_code=202,
    )
    async def signal_or_start(workflow_id: str, body: SignalOrStart) -> SignalledView:
        (request,) = await service.requests(world, caller().workspace, workflow_id, [body], None, caller().user)
        news = told(world, body.signal, caller().user, current_call().headers.get("idempotency-key"))
        return signalled_view(await signal_with_start(world.engine, request, news), news)
