"""A condition's comparisons in JSONata: true, false, or null where the two cannot be ordered."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from linkflow.language.graph.export.expressions import expression
from linkflow.language.json import Json

ORDERS: Final[Mapping[str, str]] = {"greater": ">", "greater_or_equal": ">=", "less": "<", "less_or_equal": "<="}

_ALIKE: Final = '($type(L) = $type(R) and $type(L) in ["number", "string"])'
_TEXTS: Final = '$type(L) = "string" and $type(R) = "string"'
_CONTAINS: Final = (
    f'($type(L) = "array" ? $count($filter(L, function($one) {{ $one = R }})) > 0 : {_TEXTS} ? $contains(L, R) : '
    '$type(L) = "object" and $type(R) = "string" ? R in $keys(L) : false)'
)
_EMPTY: Final = '($type(L) in ["array", "object"] ? $string(L) in ["[]", "{}"] : L = null or L = "")'
_HOLDS: Final[Mapping[str, str]] = {
    **{name: f"({_ALIKE} ? L {sign} R : null)" for name, sign in ORDERS.items()},
    "equals": "(L = R)",
    "not_equals": "$not(L = R)",
    "contains": _CONTAINS,
    "not_contains": f"$not({_CONTAINS})",
    "starts_with": f"({_TEXTS} and $substring(L, 0, $length(R)) = R)",
    "ends_with": f"({_TEXTS} ? $length(L) >= $length(R) and $substring(L, $length(L) - $length(R)) = R : false)",
    "is_true": "(L = true)",
    "is_false": "(L = false)",
    "is_empty": _EMPTY,
    "is_not_empty": f"$not({_EMPTY})",
    "exists": "(L != null)",
    "does_not_exist": "(L = null)",
}
_SIDE: Final = re.compile(r"\b[LR]\b")
_TRUE: Final = '["1", "true", "t", "yes", "y", "on"]'
_FALSE: Final = '["0", "false", "f", "no", "n", "off", "null"]'
"""What a condition's expression may give besides true and false, in any case (pydantic guide, "Booleans")."""


def truth(source: Json) -> str:
    """What a condition's `expression` decides; null where it is no truth value."""
    return (
        f"($given := {expression(source)}; $said := $lowercase($string($given)); "
        f"$said in {_TRUE} ? true : $given = null or $said in {_FALSE} ? false : null)"
    )


def verdict(comparisons: Sequence[Mapping[str, Json]], *, every: bool) -> str:
    """Whether all of them hold, or any; null where one that has to be looked at cannot be decided. All values are
    computed before the first is compared, as a config is."""
    bound, holds = [], []
    for number, one in enumerate(comparisons, 1):
        left, right = f"$left{number}", f"$right{number}"
        bound += [f"{left} := {expression(one['left'])}", f"{right} := {expression(one.get('right'))}"]
        holds.append(_holding(str(one["operator"]), left, right))
    return "(" + "; ".join([*bound, _combined(holds, every=every)]) + ")"


def _holding(operator: str, left: str, right: str) -> str:
    if operator == "in":
        operator, left, right = "contains", right, left
    return _SIDE.sub(lambda found: left if found[0] == "L" else right, _HOLDS[operator])


def _combined(holds: Sequence[str], *, every: bool) -> str:
    """In their order, as far as they matter."""
    *first, last = holds
    going = "true" if every else "false"
    combined = last
    for one in reversed(first):
        combined = f"($holds := {one}; $holds = {going} ? {combined} : $holds)"
    return combined
