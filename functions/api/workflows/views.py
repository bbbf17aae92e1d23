"""Records as callers see them."""

from collections.abc import Mapping, Sequence

import msgspec

from functions.api.executions.views import address
from functions.api.workflows.schemas import (
    ExportedWorkflow,
    FaultView,
    HeldView,
    HookView,
    StartedView,
    WorkflowDetail,
    WorkflowView,
)
from linkflow.errors import Fault
from linkflow.language.json import Json
from linkflow.runtime.views import time_view
from linkflow.runtime.wiring import World
from linkflow.stores.controls import Controls, Hold
from linkflow.stores.records import Hook, Workflow, WorkflowVersion


def workflow_view(
    world: World, workflow: Workflow, warnings: Sequence[Fault] = (), secrets: Mapping[str, str] | None = None
) -> WorkflowView:
    return WorkflowView(
        id=workflow.id,
        name=workflow.name,
        dialect=workflow.dialect,
        version=workflow.version,
        created_at=time_view(workflow.created_at),
        updated_at=time_view(workflow.updated_at),
        hooks=[hook_view(world, hook, (secrets or {}).get(hook.node)) for hook in workflow.hooks],
        warnings=[_fault_view(fault) for fault in warnings],
    )


def hook_view(world: World, hook: Hook, secret: str | None = None) -> HookView:
    return HookView(node=hook.node, url=f"{world.settings.address}/hooks/{hook.token}", secret=secret)


def workflow_detail(world: World, workflow: Workflow, version: WorkflowVersion, controls: Controls) -> WorkflowDetail:
    view = workflow_view(world, workflow)
    return WorkflowDetail(
        **view.model_dump(),
        definition=msgspec.json.decode(version.definition),
        held=[_held_view(what, hold) for what, hold in controls.holds(workflow.workspace, workflow.id)],
    )


def _held_view(what: str, hold: Hold) -> HeldView:
    return HeldView(what=what, mode=hold.mode, starts=hold.starts, since=time_view(hold.since), reason=hold.reason)


def exported_view(
    workflow: Workflow, dialect: str, definition: dict[str, Json], warnings: Sequence[Fault]
) -> ExportedWorkflow:
    return ExportedWorkflow(
        name=workflow.name, dialect=dialect, definition=definition, warnings=[_fault_view(fault) for fault in warnings]
    )


def _fault_view(fault: Fault) -> FaultView:
    return FaultView(path=fault.path, code=fault.code, message=fault.message)


def started_view(world: World, execution: str) -> StartedView:
    return StartedView(id=execution, url=address(world, execution))
