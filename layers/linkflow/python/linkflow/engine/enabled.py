"""Node types that are switched off in a workspace, at the moment one of them is to run."""

from linkflow.nodes.base import RESOURCE, NodeFailed
from linkflow.stores.controls import Controls


def check_enabled(controls: Controls, workspace: str, resource: str) -> None:
    """Raises `NodeFailed` for a task whose node type is switched off."""
    kind = resource.removeprefix(RESOURCE)
    if controls.node_disabled(workspace, kind):
        message = f"The node type '{kind}' is switched off in this workspace; whoever runs LinkFlow can switch it on."
        raise NodeFailed("LinkFlow.NodeDisabled", message, retryable=False)
