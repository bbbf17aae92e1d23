from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from linkflow.language.graph.catalogue import Role, Wiring
from linkflow.language.graph.export.containers import repeated
from linkflow.language.graph.export.port import Port, States
from linkflow.language.graph.flow import PassFlow, document, passes
from linkflow.language.graph.template import Template, compile_template
from linkflow.language.json import Json
from linkflow.language.program import Graph, State
from linkflow.language.view import EvaluationFailed, View
from linkflow.nodes.base import BaseNode

BODY = "body"


class Repeat(BaseNode):
    """Runs the graph in `body` again and again `until` a condition holds. Each pass gets what the one before made (the
    first one: this node's input); the last one's is the output. In `until`, `output` is what the pass made;
    `vars.passes` says how many are done, in the body and in `until`. More than `at_most` passes are an error."""

    type: ClassVar[str] = "repeat"
    role: ClassVar[Role] = "container"
    bodies: ClassVar[tuple[str, ...]] = (BODY,)
    fixed: ClassVar[frozenset[str]] = frozenset({"at_most"})

    until: bool = Field(title="Until", description="{{ … }} that gives true or false.")
    body: dict[str, Json] = Field(title="Body", description="A graph: nodes and edges, without triggers.")
    at_most: int = Field(default=100, ge=1, le=10_000, title="At most", description="So many passes.")

    @classmethod
    def exported(cls, port: Port) -> States:
        return repeated(port)

    @classmethod
    def states(cls, wiring: Wiring) -> Sequence[State]:
        name, config = wiring.node.id, wiring.node.config
        return (
            Graph(
                name=name,
                flow=PassFlow(),
                retry=wiring.retry,
                catch=wiring.catch,
                nodes=wiring.bodies(BODY, wiring.address, name),
                again=_Again(compile_template(config["until"]), config.get("at_most", 100)),
            ),
        )


class _Again:
    __slots__ = ("at_most", "until")

    def __init__(self, until: Template, at_most: int) -> None:
        self.until = until
        self.at_most = at_most

    def holds(self, view: View) -> bool:
        roots, done = document(view), passes(view) + 1
        seen = {**roots, "output": view.result, "vars": {**roots["vars"], "passes": done}}
        reached = self.until.render(seen, view)
        if not isinstance(reached, bool):
            raise EvaluationFailed(
                "LinkFlow.BadConfig", "'until' must give true or false; what was computed is neither."
            )
        if not reached and done >= self.at_most:
            raise EvaluationFailed(
                "LinkFlow.TooManyPasses", f"After {self.at_most} passes the condition 'until' did not hold yet."
            )
        return not reached
