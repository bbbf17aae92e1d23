from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from linkflow.language.graph.catalogue import Role, Wiring
from linkflow.language.graph.export.containers import tried
from linkflow.language.graph.export.port import Port, States
from linkflow.language.graph.flow import HandlerFlow, InputFlow
from linkflow.language.handlers import Catcher
from linkflow.language.json import Json
from linkflow.language.program import Graph, State
from linkflow.nodes.base import BaseNode

BODY, HANDLER = "body", "handler"


class Try(BaseNode):
    """Runs the graph in `body`; if it fails, the graph in `handler`, all of whose nodes see the `error`
    (`{"code", "message"}`). The output is that of the graph that ended well. Retries are of the body. When
    the execution is cancelled the handler runs too (`LinkFlow.Cancelled`), within the workflow's `clean_up` seconds."""

    type: ClassVar[str] = "try"
    role: ClassVar[Role] = "container"
    bodies: ClassVar[tuple[str, ...]] = (BODY, HANDLER)

    body: dict[str, Json] = Field(title="Body", description="A graph: nodes and edges, without triggers.")
    handler: dict[str, Json] = Field(title="Handler", description="The same, for when the body fails.")

    @classmethod
    def exported(cls, port: Port) -> States:
        return tried(port)

    @classmethod
    def states(cls, wiring: Wiring) -> Sequence[State]:
        name, behind = wiring.node.id, f"{wiring.node.id}.{HANDLER}"
        caught = Catcher(("States.ALL", "States.Runtime", "LinkFlow.Cancelled"), HandlerFlow(), behind)
        return (
            Graph(
                name=name,
                flow=InputFlow(),
                retry=wiring.retry,
                catch=(caught,),
                nodes=wiring.bodies(BODY, wiring.address, name),
            ),
            Graph(
                name=behind,
                flow=InputFlow(),
                catch=wiring.catch,
                nodes=wiring.bodies(HANDLER, wiring.address, behind),
            ),
        )
