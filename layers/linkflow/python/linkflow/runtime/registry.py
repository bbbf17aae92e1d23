"""The node types of this installation as callers see them: what they do, their form, where they lead."""

from collections.abc import Mapping
from typing import Any

from linkflow.nodes.base import BaseNode, TaskNode
from linkflow.runtime.routes import Schema
from linkflow.stores.controls import Controls


class NodeTypeView(Schema):
    """`form` is the JSON Schema of its config, `exits` the branches that edges from it may name (`error` besides).
    Tasks say how long one attempt may take, in seconds, and whether they run where no table and no secret is.
    `disabled`: switched off in this workspace."""

    type: str
    title: str
    role: str
    description: str
    form: dict[str, Any]
    exits: list[str]
    default_timeout: float | None = None
    at_most_once: bool = False
    isolated: bool = False
    disabled: bool = False


class NodeTypes(Schema):
    data: list[NodeTypeView]


def node_types(nodes: Mapping[str, type[BaseNode]], controls: Controls, workspace: str) -> NodeTypes:
    """By name."""
    return NodeTypes(data=[_view(nodes[name], controls.node_disabled(workspace, name)) for name in sorted(nodes)])


def _view(node: type[BaseNode], disabled: bool) -> NodeTypeView:
    task = node if issubclass(node, TaskNode) else None
    return NodeTypeView(
        type=node.type,
        title=node.type.replace("_", " ").capitalize(),
        role=node.role,
        description=" ".join((node.__doc__ or "").split()),
        form=node.model_json_schema(),
        exits=list(node.exits({})),
        default_timeout=task.default_timeout if task else None,
        at_most_once=task.at_most_once if task else False,
        isolated=task.isolated if task else False,
        disabled=disabled,
    )
