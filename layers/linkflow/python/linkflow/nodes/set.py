from typing import ClassVar

from pydantic import Field

from linkflow.language.graph.export.expressions import expression, query, rendered
from linkflow.language.graph.export.port import Port, States
from linkflow.language.json import Json
from linkflow.language.program import Outcome
from linkflow.language.view import View
from linkflow.nodes.base import PureNode


class Set(PureNode):
    """Makes an object of named values. With `keep_input`, the input's own fields stay where no value replaces them."""

    type: ClassVar[str] = "set"

    values: dict[str, Json] = Field(title="Values", description="Names and their values; values may be expressions.")
    keep_input: bool = Field(default=False, title="Keep input", description="Add to the input instead of replacing it.")

    def evaluate(self, view: View) -> Outcome:
        if self.keep_input and isinstance(view.input, dict):
            return Outcome({**view.input, **self.values})
        return Outcome(self.values)

    @classmethod
    def exported(cls, port: Port) -> States:
        values, keep = port.node.config["values"], port.node.config.get("keep_input", False)
        if keep is False:
            return {port.name(): {"Type": "Pass", **port.left(rendered(values))}}
        kept = f'{expression(keep)} = true and $type($input) = "object" ? $merge([$input, $values]) : $values'
        output = query(f"($input := {port.input}; $values := {expression(values)}; {kept})")
        return {port.name(): {"Type": "Pass", **port.left(output)}}
