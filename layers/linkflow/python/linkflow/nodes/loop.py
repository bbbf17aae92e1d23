from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from linkflow.language.flow import Expression
from linkflow.language.graph.catalogue import Role, Wiring
from linkflow.language.graph.export.containers import looped
from linkflow.language.graph.export.port import Port, States
from linkflow.language.graph.flow import InputFlow, Rendered
from linkflow.language.graph.template import compile_template
from linkflow.language.json import Json
from linkflow.language.program import ITEM, Graph, Machine, Map, State, address_of
from linkflow.language.view import EvaluationFailed, View
from linkflow.nodes.base import BaseNode

BODY = "body"


class Loop(BaseNode):
    """Does the same with every item of a list: the graph in `body` runs once for each, with `item` and `index`. The
    output is the list of what the passes made, in the items' order. If more items fail than are tolerated, the node
    fails; a failure that is tolerated leaves `{"error": …}` in its place."""

    type: ClassVar[str] = "loop"
    role: ClassVar[Role] = "container"
    bodies: ClassVar[tuple[str, ...]] = (BODY,)

    items: list[Json] = Field(title="Items", description="The list.")
    body: dict[str, Json] = Field(title="Body", description="A graph: nodes and edges, without triggers.")
    concurrency: int = Field(default=10, ge=0, le=1000, title="At the same time", description="0: all of them.")
    tolerated_failures: int | None = Field(default=None, ge=0, title="Tolerated failures", description="How many.")
    tolerated_percentage: float | None = Field(default=None, ge=0, le=100, title="Tolerated failures in percent")

    @classmethod
    def exported(cls, port: Port) -> States:
        return looped(port)

    @classmethod
    def states(cls, wiring: Wiring) -> Sequence[State]:
        name = wiring.node.id
        processor = address_of(wiring.address, name, ITEM)
        body = Graph(name=BODY, flow=InputFlow(), nodes=wiring.bodies(BODY, processor, BODY))
        config = wiring.node.config
        return (
            Map(
                name=name,
                flow=InputFlow(),
                retry=wiring.retry,
                catch=wiring.catch,
                processor=Machine(processor, BODY, {BODY: body}),
                items=_Parameter("items", config["items"]),
                max_concurrency=_Parameter("concurrency", config.get("concurrency", 10)),
                tolerated_count=_given("tolerated_failures", config),
                tolerated_percentage=_given("tolerated_percentage", config),
                keep_errors=True,
            ),
        )


def _given(name: str, config: dict[str, Json]) -> Expression | None:
    return None if config.get(name) is None else _Parameter(name, config[name])


class _Parameter:
    """One parameter, computed when the loop begins, and checked by the form."""

    __slots__ = ("name", "value")

    def __init__(self, name: str, source: Json) -> None:
        self.name = name
        self.value = Rendered(compile_template(source))

    def evaluate(self, view: View) -> Json:
        value = self.value.evaluate(view)
        if self.name == "items" and not isinstance(value, list):
            raise EvaluationFailed("LinkFlow.BadConfig", "'items' must be a list; what was computed is none.")
        if self.name == "items":
            return value
        return getattr(Loop.configured({"items": [], BODY: {}, self.name: value}), self.name)
