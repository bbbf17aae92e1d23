"""Node types that are switched off, found wherever a definition names one."""

from collections.abc import Iterator

from linkflow.errors import Fault
from linkflow.language.json import Json
from linkflow.nodes.base import RESOURCE
from linkflow.stores.controls import Controls


def disabled_faults(definition: Json, controls: Controls, workspace: str) -> list[Fault]:
    """One for each node, and each Task, of a type that is switched off in the workspace."""
    if not controls.disabled_nodes:
        return []
    return [
        Fault(path, "node_disabled", f"The node type '{kind}' is switched off in this workspace.")
        for path, kind in _kinds(definition, "$.definition")
        if controls.node_disabled(workspace, kind)
    ]


def _kinds(value: Json, path: str) -> Iterator[tuple[str, str]]:
    """Where a node type is named, and which."""
    match value:
        case dict():
            if isinstance(value.get("type"), str) and isinstance(value.get("id"), str):
                yield f"{path}.type", value["type"]
            if isinstance(value.get("Resource"), str) and value["Resource"].startswith(RESOURCE):
                yield f"{path}.Resource", value["Resource"].removeprefix(RESOURCE).partition(".")[0]
            for key, inner in value.items():
                yield from _kinds(inner, f"{path}.{key}")
        case list():
            for index, inner in enumerate(value):
                yield from _kinds(inner, f"{path}[{index}]")
