from typing import ClassVar, Literal

from pydantic import Field

from linkflow.language.graph.catalogue import Role, Wiring
from linkflow.language.graph.export.port import Port, States
from linkflow.language.json import Json
from linkflow.language.program import State, Task
from linkflow.nodes.base import RESOURCE, BaseNode


class ContinueAsNew(BaseNode):
    """Ends this execution and starts the workflow again from its beginning with another input: for what goes on for
    ever. Whoever waits for the result waits for the last of the chain. Anything else that still runs is given up."""

    type: ClassVar[str] = "continue_as_new"
    role: ClassVar[Role] = "task"

    input: Json = Field(default=None, title="Input", description="What the next execution starts with.")
    version: Literal["same", "newest"] = Field(default="same", title="Version", description="Of the workflow.")

    @classmethod
    def state(cls, wiring: Wiring) -> State:
        return Task(name=wiring.node.id, flow=wiring.flow, catch=wiring.catch, resource=CONTINUE_AS_NEW)

    @classmethod
    def exported(cls, port: Port) -> States:
        if not port.resource.startswith(RESOURCE):
            port.warn("other_service", "Step Functions goes on by starting the state machine anew, and ending.")
        return {port.name(): port.task(cls.type, None)}


CONTINUE_AS_NEW = RESOURCE + ContinueAsNew.type
