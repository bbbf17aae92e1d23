from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from linkflow.language.graph.export.comparisons import ORDERS, truth, verdict
from linkflow.language.graph.export.expressions import query
from linkflow.language.graph.export.port import Port, States
from linkflow.language.json import Json
from linkflow.language.program import Outcome
from linkflow.language.view import EvaluationFailed, View
from linkflow.nodes.base import PureNode

Operator = Literal[
    "equals",
    "not_equals",
    "greater",
    "greater_or_equal",
    "less",
    "less_or_equal",
    "contains",
    "not_contains",
    "starts_with",
    "ends_with",
    "in",
    "is_true",
    "is_false",
    "is_empty",
    "is_not_empty",
    "exists",
    "does_not_exist",
]


class Comparison(BaseModel):
    """`left` against `right`. Numbers compare with numbers and texts with texts; anything else is an error, never a
    guess. `exists` means: not null."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    left: Json
    operator: Operator
    right: Json = None

    def holds(self) -> bool:
        return _OPERATORS[self.operator](self.left, self.right)


class Condition(PureNode):
    """Leaves by the branch `true` or `false`; the input goes on unchanged. Say what decides with `expression` (one
    expression that gives true or false), with `all` comparisons, or with `any` of them."""

    type: ClassVar[str] = "condition"

    expression: bool | None = Field(default=None, title="Expression", description="{{ … }} that gives true or false.")
    all: list[Comparison] | None = Field(default=None, title="All of", min_length=1)
    any: list[Comparison] | None = Field(default=None, title="Any of", min_length=1)

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        if len(self.model_fields_set & {"expression", "all", "any"}) != 1:
            raise ValueError("Give exactly one of 'expression', 'all' and 'any'.")
        return self

    @classmethod
    def exits(cls, config: Mapping[str, Json]) -> Sequence[str]:  # noqa: ARG003 (the same for every config)
        return ("true", "false")

    def evaluate(self, view: View) -> Outcome:
        return Outcome(view.input, exit="true" if self._holds() else "false")

    def _holds(self) -> bool:
        if self.all is not None:
            return all(one.holds() for one in self.all)
        if self.any is not None:
            return any(one.holds() for one in self.any)
        return bool(self.expression)

    @classmethod
    def exported(cls, port: Port) -> States:
        """A Choice; behind a state of its own that decides, where the decision may fail."""
        config, name = port.node.config, port.name()
        compared = config.get("all", config.get("any"))
        if compared is None:
            return _undecided(
                port,
                name,
                truth(config["expression"]),
                "LinkFlow.BadConfig",
                "The expression gave neither true nor false.",
            )
        decision = verdict(compared, every="all" in config)
        if not ORDERS.keys().isdisjoint(one["operator"] for one in compared):
            return _undecided(port, name, decision, "LinkFlow.BadComparison", "Compare two numbers, or two texts.")
        rule = {"Condition": query(decision), **port.goes(port.input_query, "true")}
        otherwise = port.goes(port.input_query, "false")
        default = {"Default": otherwise.pop("Next"), **otherwise}
        return {name: {"Type": "Choice", "Choices": [rule], **default}}


def _undecided(port: Port, name: str, decision: str, error: str, cause: str) -> States:
    deciding, refusal = port.name("decides"), port.refusal(error, cause)
    rules: list[Json] = [
        {"Condition": query(f"$states.input = {one}"), **port.goes(port.input_query, one)} for one in ("true", "false")
    ]
    return {
        name: {"Type": "Pass", "Output": query(decision), "Next": deciding},
        deciding: {"Type": "Choice", "Choices": rules, "Default": next(iter(refusal))},
        **refusal,
    }


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Json, Json], bool]:
    def holds(left: Json, right: Json) -> bool:
        numbers = _is_number(left) and _is_number(right)
        if not numbers and not (isinstance(left, str) and isinstance(right, str)):
            raise EvaluationFailed(
                "LinkFlow.BadComparison",
                f"Cannot order {_kind(left)} and {_kind(right)}: compare two numbers, or two texts.",
            )
        return compare(left, right)

    return holds


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _kind(value: Json) -> str:
    names = {bool: "a truth value", int: "a number", float: "a number", str: "a text", list: "a list"}
    return "nothing" if value is None else names.get(type(value), "an object")


def _equal(left: Json, right: Json) -> bool:
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def _contains(left: Json, right: Json) -> bool:
    if isinstance(left, str):
        return isinstance(right, str) and right in left
    if isinstance(left, list):
        return any(_equal(one, right) for one in left)
    return isinstance(left, dict) and isinstance(right, str) and right in left


def _is_empty(left: Json) -> bool:
    return left is None or left in ("", [], {})


_OPERATORS: Mapping[str, Callable[[Json, Json], bool]] = {
    "equals": _equal,
    "not_equals": lambda left, right: not _equal(left, right),
    "greater": _ordered(lambda left, right: left > right),
    "greater_or_equal": _ordered(lambda left, right: left >= right),
    "less": _ordered(lambda left, right: left < right),
    "less_or_equal": _ordered(lambda left, right: left <= right),
    "contains": _contains,
    "not_contains": lambda left, right: not _contains(left, right),
    "starts_with": lambda left, right: isinstance(left, str) and isinstance(right, str) and left.startswith(right),
    "ends_with": lambda left, right: isinstance(left, str) and isinstance(right, str) and left.endswith(right),
    "in": lambda left, right: _contains(right, left),
    "is_true": lambda left, _: left is True,
    "is_false": lambda left, _: left is False,
    "is_empty": lambda left, _: _is_empty(left),
    "is_not_empty": lambda left, _: not _is_empty(left),
    "exists": lambda left, _: left is not None,
    "does_not_exist": lambda left, _: left is None,
}
