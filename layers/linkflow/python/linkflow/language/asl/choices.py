"""What a Choice rule asks: comparisons of JSONPath mode, `And` / `Or` / `Not`, and JSONata's Condition.

A comparison with a value of another type is false, never an error; only a path that leads nowhere is one. Texts compare
by UTF-16 units, as Java does; `StringMatches` knows `*` and, to mean it literally, a backslash before it.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from linkflow.language.asl.failures import invalid_path
from linkflow.language.asl.moments import parse_timestamp
from linkflow.language.asl.paths import resolve
from linkflow.language.asl.queries import Query, is_query
from linkflow.language.flow import Condition
from linkflow.language.json import Json
from linkflow.language.jsonpath import JsonPath, PathNotFound
from linkflow.language.jsonpath import compile as compile_path
from linkflow.language.view import View

Compare = Callable[[Json, Json], bool]

_ORDERS: Final[Mapping[str, Compare]] = {
    "Equals": operator.eq,
    "LessThanEquals": operator.le,
    "GreaterThanEquals": operator.ge,
    "LessThan": operator.lt,
    "GreaterThan": operator.gt,
}
_BROKEN: Final = "The choice state's condition path references an invalid value."


def is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_KINDS: Final[Mapping[str, Callable[[Json], bool]]] = {
    "IsNull": lambda value: value is None,
    "IsString": lambda value: isinstance(value, str),
    "IsNumeric": is_number,
    "IsBoolean": lambda value: isinstance(value, bool),
    "IsTimestamp": lambda value: parse_timestamp(value) is not None,
}


def _comparable(family: str) -> Callable[[Json], Json]:
    """What a value is compared as, None when it is of another type."""
    match family:
        case "Boolean":
            return lambda value: value if isinstance(value, bool) else None
        case "Numeric":
            return lambda value: value if is_number(value) else None
        case "Timestamp":
            return parse_timestamp
        case _:
            return lambda value: value.encode("utf-16-be", "surrogatepass") if isinstance(value, str) else None


def _comparison(family: str, order: str) -> Compare:
    comparable, compare = _comparable(family), _ORDERS[order]

    def holds(left: Json, right: Json) -> bool:
        one, other = comparable(left), comparable(right)
        return one is not None and other is not None and compare(one, other)

    return holds


def matches(value: Json, pattern: Json) -> bool:
    """In time that grows with the text only: each piece between two stars is taken where it is found first."""
    if not isinstance(value, str) or not isinstance(pattern, str):
        return False
    first, *pieces = _pieces(pattern)
    if not pieces:
        return value == first
    last, at = pieces.pop(), len(first)
    if not value.startswith(first) or not value.endswith(last):
        return False
    for piece in pieces:
        found = value.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return at + len(last) <= len(value)


def _pieces(pattern: str) -> list[str]:
    """The texts between the stars of a pattern."""
    pieces = [""]
    for part in re.findall(r"\\[*\\]|\*|[^*\\]+|\\", pattern):
        if part == "*":
            pieces.append("")
        else:
            pieces[-1] += part[1:] if part in (r"\*", r"\\") else part
    return pieces


COMPARISONS: Final[Mapping[str, Compare]] = {
    "StringMatches": matches,
    "BooleanEquals": _comparison("Boolean", "Equals"),
    **{
        f"{family}{order}": _comparison(family, order)
        for family in ("String", "Numeric", "Timestamp")
        for order in _ORDERS
    },
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """`Variable` against a constant, or against what `other` leads to."""

    variable: JsonPath
    compare: Compare
    value: Json
    other: JsonPath | None = None

    def holds(self, view: View) -> bool:
        right = self.value if self.other is None else read(self.other, view)
        return self.compare(read(self.variable, view), right)


@dataclass(frozen=True, slots=True)
class TypeTest:
    variable: JsonPath
    kind: Callable[[Json], bool]
    wanted: bool

    def holds(self, view: View) -> bool:
        return self.kind(read(self.variable, view)) is self.wanted


@dataclass(frozen=True, slots=True)
class Presence:
    variable: JsonPath
    wanted: bool

    def holds(self, view: View) -> bool:
        try:
            value = resolve(self.variable, view)
        except PathNotFound:
            return not self.wanted
        found = self.variable.definite or value != []
        return found is self.wanted


@dataclass(frozen=True, slots=True)
class All:
    conditions: tuple[Condition, ...]

    def holds(self, view: View) -> bool:
        return all(condition.holds(view) for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class Any:
    conditions: tuple[Condition, ...]

    def holds(self, view: View) -> bool:
        return any(condition.holds(view) for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class Not:
    condition: Condition

    def holds(self, view: View) -> bool:
        return not self.condition.holds(view)


@dataclass(frozen=True, slots=True)
class Asked:
    """JSONata's Condition."""

    query: Query

    def holds(self, view: View) -> bool:
        return self.query.evaluate(view) is True


@dataclass(frozen=True, slots=True)
class Always:
    answer: bool

    def holds(self, view: View) -> bool:  # noqa: ARG002 (a Condition)
        return self.answer


def read(path: JsonPath, view: View) -> Json:
    try:
        return resolve(path, view)
    except PathNotFound as error:
        raise invalid_path(path.source, _BROKEN) from error


def compile_condition(rule: Mapping[str, Json], location: str) -> Condition:
    """The condition of a rule, or of one inside `And`, `Or`, `Not`."""
    if "Condition" in rule:
        asked = rule["Condition"]
        return Asked(Query(asked, f"{location}/Condition", "boolean")) if is_query(asked) else Always(asked is True)
    if "And" in rule:
        return All(tuple(compile_condition(one, location) for one in rule["And"]))
    if "Or" in rule:
        return Any(tuple(compile_condition(one, location) for one in rule["Or"]))
    if "Not" in rule:
        return Not(compile_condition(rule["Not"], location))
    return _compile_comparison(rule)


def _compile_comparison(rule: Mapping[str, Json]) -> Condition:
    variable = compile_path(rule["Variable"])
    for name, value in rule.items():
        if name == "IsPresent":
            return Presence(variable, value)
        if name in _KINDS:
            return TypeTest(variable, _KINDS[name], value)
        if name in COMPARISONS:
            return Comparison(variable, COMPARISONS[name], value)
        if name.endswith("Path") and name.removesuffix("Path") in COMPARISONS:
            return Comparison(variable, COMPARISONS[name.removesuffix("Path")], None, compile_path(value))
    raise ValueError(f"A choice rule without an operator: {sorted(rule)}")
