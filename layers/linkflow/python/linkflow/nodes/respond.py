from typing import ClassVar

from pydantic import Field

from linkflow.language.graph.export.expressions import rendered
from linkflow.language.graph.export.port import Port, States
from linkflow.language.json import Json
from linkflow.language.program import Outcome
from linkflow.language.view import View
from linkflow.nodes.base import PureNode


class Respond(PureNode):
    """Answers the webhook call that started the execution. Without a `body`, the input is the answer. The answer is
    also the node's output. The first respond node that runs answers; the execution goes on."""

    type: ClassVar[str] = "respond"

    status: int = Field(default=200, ge=200, le=599, title="Status")
    headers: dict[str, str] = Field(default_factory=dict, title="Headers")
    body: Json = Field(default=None, title="Body", description="JSON, or text when Content-Type says so.")

    def evaluate(self, view: View) -> Outcome:
        body = self.body if "body" in self.model_fields_set else view.input
        return Outcome(body, response={"status": self.status, "headers": self.headers, "body": body})

    @classmethod
    def exported(cls, port: Port) -> States:
        port.warn(
            "no_answer", "A state machine answers no webhook: the node only hands on what it would have answered."
        )
        body = rendered(port.node.config["body"]) if "body" in port.node.config else port.input_query
        return {port.name(): {"Type": "Pass", **port.left(body)}}
