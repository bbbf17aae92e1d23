"""Workflows: checked whole, then saved whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from pydantic import SecretStr

from functions.api.workflows.disabled import disabled_faults
from functions.api.workflows.hooks import hooks_of
from functions.api.workflows.schemas import HoldWorkflow
from linkflow import ids
from linkflow.engine.holds import Scope, hold, release
from linkflow.engine.platform.notices import drawn as drawn_callbacks
from linkflow.engine.schedules import opening
from linkflow.engine.start import Start
from linkflow.errors import Conflict, Fault, Invalid
from linkflow.language.asl import settings as asl_settings
from linkflow.language.asl_check import Problem, check_asl
from linkflow.language.asl_check.scope import MachineType
from linkflow.language.graph.check import Checked, check_graph
from linkflow.language.graph.compile import content_hash
from linkflow.language.graph.definition import GraphDefinition, NodeDefinition
from linkflow.language.graph.export import Facts, export_asl
from linkflow.language.graph.template import sole_expression
from linkflow.language.recurrence.form import to_recurrence
from linkflow.nodes.event import EventTrigger
from linkflow.nodes.schedule import Schedule as ScheduleNode
from linkflow.ports import Put
from linkflow.runtime.starting import StartOptions, chosen
from linkflow.runtime.wiring import World
from linkflow.stores.controls import Hold
from linkflow.stores.records import ApiKey, Workflow, WorkflowVersion
from linkflow.stores.schedules import Schedule
from linkflow.stores.subscriptions import Subscription, of_workflow

Dialect = Literal["graph", "asl"]


@dataclass(frozen=True, slots=True)
class Created:
    """`secrets` are those of its webhooks, by node: the only time that they are told."""

    workflow: Workflow
    warnings: Sequence[Fault]
    secrets: Mapping[str, str]


async def create(
    world: World,
    workspace: str,
    name: str,
    dialect: Dialect,
    definition: dict[str, Any],
    secrets: Mapping[str, SecretStr] | None = None,
    *,
    express: bool = False,
) -> Created:
    """A new workflow with its first version. `secrets` are given ones of webhooks, by node; an `express` state machine
    is recorded when it waits or ends. Raises `Invalid` with every fault; then nothing is saved."""
    checked = (
        _check_asl(definition, "EXPRESS" if express else "STANDARD")
        if dialect == "asl"
        else check_graph(definition, world.engine.nodes)
    )
    faults = [Fault(f"$.definition{f.path[1:]}", f.code, f.message) for f in checked.errors]
    faults += disabled_faults(definition, await world.engine.switchboard.controls(), workspace)
    if faults:
        raise Invalid("The definition", faults)
    drawn = checked.definition.nodes if checked.definition else ()
    made = hooks_of(world.ids, drawn, secrets or {})
    now = world.clock.now()
    hooks = tuple(one.hook for one in made)
    workflow = Workflow(workspace, world.ids.new(ids.WORKFLOW), name, dialect, 1, now, now, hooks)
    text = msgspec.Raw(msgspec.json.encode(definition))
    content = content_hash({"express": definition}) if express else content_hash(definition)
    version = WorkflowVersion(1, content, dialect, text, now, express)
    targets = [(one.hook.token, await one.target(world.keyring, workflow)) for one in made]
    triggers = [of_workflow(one) for one in _subscriptions(workflow, drawn)]
    begun = [opening(world.engine, one) for one in _schedules(world, workflow, drawn)]
    more = [put for puts, _ in begun for put in puts] + _callbacks(world, workflow, checked.definition)
    await world.engine.workflows.create(workflow, version, targets, [*triggers, *more])
    await world.queue.send([send for _, sends in begun for send in sends])
    return Created(workflow, checked.warnings, {one.hook.node: one.secret for one in made if one.secret})


def _callbacks(world: World, workflow: Workflow, definition: GraphDefinition | None) -> list[Put]:
    """Those that the workflow's settings ask for."""
    asked = definition.settings.callbacks if definition else ()
    found = [(one.url, tuple(one.on)) for one in asked]
    made = drawn_callbacks(workflow.workspace, workflow.id, found, workflow.created_at)
    return [world.engine.callbacks.creation(one) for one in made]


def _subscriptions(workflow: Workflow, drawn: Sequence[NodeDefinition]) -> list[Subscription]:
    """The events that start the workflow."""
    nodes = [node for node in drawn if node.type == EventTrigger.type and not node.disabled]
    forms = {node.id: EventTrigger.model_validate(node.config) for node in nodes}
    return [
        Subscription(
            workflow.workspace,
            form.event_type,
            workflow.created_at,
            sole_expression(form.filter),
            workflow=workflow.id,
            node=node,
        )
        for node, form in forms.items()
    ]


def _schedules(world: World, workflow: Workflow, drawn: Sequence[NodeDefinition]) -> list[Schedule]:
    """Those that the workflow's own nodes ask for."""
    now, nodes = workflow.created_at, [node for node in drawn if node.type == ScheduleNode.type and not node.disabled]
    forms = {node.id: ScheduleNode.model_validate(node.config) for node in nodes}
    return [
        Schedule(
            workflow.workspace,
            world.ids.new(ids.SCHEDULE),
            f"{workflow.name}: {node}",
            workflow.id,
            to_recurrence(form),
            form.model_dump(mode="json", exclude_none=True),
            now,
            now,
            None,
            node,
            form.overlap,
            form.misfire,
            form.misfire_window,
            origin="workflow",
        )
        for node, form in forms.items()
    ]


async def exported(
    world: World, workspace: str, workflow_id: str, dialect: Dialect, resource: str
) -> tuple[Workflow, dict[str, Any], Sequence[Fault]]:
    """The workflow's current definition in `dialect`, and what could not be kept exactly. `resource` makes a Task's
    Resource out of a node type. Raises `Conflict` for a state machine that is wanted as a graph."""
    workflow = await world.engine.workflows.get(workspace, workflow_id)
    version = await world.engine.workflows.current(workflow)
    document = msgspec.json.decode(version.definition)
    if version.dialect == dialect:
        return workflow, document, ()
    if dialect == "graph":
        raise Conflict("A state machine cannot be exported as a graph; only the other way round.")
    facts = Facts(workspace, version.number, resource=resource, start_at=await _start_node(world, workflow))
    plain = export_asl(GraphDefinition.model_validate(document), world.engine.nodes, facts)
    return workflow, plain.document, plain.warnings


def _check_asl(definition: dict[str, Any], machine_type: MachineType) -> Checked:
    found = check_asl(asl_settings.bare(definition), machine_type=machine_type)
    errors = [*asl_settings.settings_faults(definition)]
    errors += [_fault(problem) for problem in found if problem.severity == "ERROR"]
    return Checked(None, errors, [_fault(problem) for problem in found if problem.severity == "WARNING"])


def _fault(problem: Problem) -> Fault:
    return Fault(problem.path, problem.code, problem.advice or problem.message)


async def requests(
    world: World,
    workspace: str,
    workflow_id: str,
    wanted: Sequence[StartOptions],
    idempotency_key: str | None,
    by: str = "",
) -> list[Start]:
    """The starts that are asked for, from the same trigger; `by` is who asks."""
    workflow = await world.engine.workflows.get(workspace, workflow_id)
    node, now = await _start_node(world, workflow), world.clock.now()
    return [
        chosen(one, workflow, "manual", node, _key(idempotency_key, index), now, by) for index, one in enumerate(wanted)
    ]


def _key(idempotency_key: str | None, index: int) -> str | None:
    return None if idempotency_key is None else f"{idempotency_key}/{index}"


async def _start_node(world: World, workflow: Workflow) -> str | None:
    """By hand a workflow starts at its manual trigger, or else at its first trigger; None: it has no trigger."""
    program = await world.engine.programs.numbered(workflow.workspace, workflow.id, workflow.version)
    return program.manual_start


async def hold_workflow(world: World, by: ApiKey, workflow_id: str, body: HoldWorkflow) -> Workflow:
    workflow = await world.engine.workflows.get(by.workspace, workflow_id)
    made = Hold(body.mode, body.starts, world.clock.now(), by.user, body.reason)
    await hold(world.engine, Scope(by.workspace, workflow_id), made)
    return workflow


async def release_workflow(world: World, workspace: str, workflow_id: str) -> Workflow:
    workflow = await world.engine.workflows.get(workspace, workflow_id)
    await release(world.engine, Scope(workspace, workflow_id))
    return workflow
