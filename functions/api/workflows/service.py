"""Workflows: checked whole, then saved whole."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from linkflow import ids
from linkflow.engine.start import Start, start
from linkflow.errors import Fault, Invalid
from linkflow.language.graph.check import check_graph
from linkflow.language.graph.compile import content_hash
from linkflow.language.graph.definition import GraphDefinition
from linkflow.nodes.webhook import Webhook
from linkflow.runtime.wiring import World
from linkflow.stores.records import Hook, HookTarget, Workflow, WorkflowVersion


async def create(
    world: World, workspace: str, name: str, definition: dict[str, Any]
) -> tuple[Workflow, Sequence[Fault]]:
    """A new workflow with its first version, and warnings. Raises `Invalid` with every fault; then nothing is saved."""
    checked = check_graph(definition, world.engine.nodes)
    if checked.definition is None:
        raise Invalid("The definition", [Fault(f"$.definition{f.path[1:]}", f.code, f.message) for f in checked.errors])
    now = world.clock.now()
    hooks = {node.id: Hook(node.id, world.ids.secret()) for node in checked.definition.nodes if _is_hook(node.type)}
    workflow = Workflow(workspace, world.ids.new(ids.WORKFLOW), name, "graph", 1, now, now, tuple(hooks.values()))
    text = msgspec.Raw(msgspec.json.encode(definition))
    version = WorkflowVersion(1, content_hash(definition), "graph", text, now)
    targets = [(hook.token, _target(workflow, checked.definition, hook.node)) for hook in hooks.values()]
    await world.engine.workflows.create(workflow, version, targets)
    return workflow, checked.warnings


def _is_hook(node_type: str) -> bool:
    return node_type == Webhook.type


def _target(workflow: Workflow, definition: GraphDefinition, node: str) -> HookTarget:
    config = next(one.config for one in definition.nodes if one.id == node)
    hook = Webhook.model_validate(config)
    return HookTarget(workflow.workspace, workflow.id, node, hook.method, hook.answer)


async def execute(
    world: World,
    workspace: str,
    workflow_id: str,
    inputs: Sequence[tuple[Any, str | None]],
    idempotency_key: str | None,
) -> list[str]:
    """Start one execution for each input (and name), all by the same version; their ids."""
    workflow = await world.engine.workflows.get(workspace, workflow_id)
    node = await _start_node(world, workflow)
    requests = [
        Start(workflow, given, "manual", node, name, _key(idempotency_key, index))
        for index, (given, name) in enumerate(inputs)
    ]
    return list(await asyncio.gather(*(start(world.engine, request) for request in requests)))


def _key(idempotency_key: str | None, index: int) -> str | None:
    return None if idempotency_key is None else f"{idempotency_key}/{index}"


async def _start_node(world: World, workflow: Workflow) -> str | None:
    """By hand a workflow starts at its manual trigger, or else at its first trigger; None: it has no trigger."""
    program = world.engine.programs.of(await world.engine.workflows.current(workflow))
    return program.manual_start
