from typing import ClassVar, Literal

from linkflow.nodes.base import TriggerNode


class Webhook(TriggerNode):
    """Starts the workflow when its address is called. Output: `{"method", "headers", "query", "body"}`; a JSON body is
    parsed, any other is text."""

    type: ClassVar[str] = "webhook"

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "ANY"] = "POST"
    answer: Literal["at_once", "when_done", "respond_node"] = "at_once"
    """What the caller gets: 202 at once, the execution's output, or what a respond node says."""
