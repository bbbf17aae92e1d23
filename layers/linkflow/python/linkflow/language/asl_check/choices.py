"""The rules of a Choice state (States Language, Choice State)."""

from collections.abc import Mapping
from typing import Final

from linkflow.language.asl_check.expressions import check_jsonata, too_deep
from linkflow.language.asl_check.fields import Shape, both, check_shape, only_jsonata, only_jsonpath
from linkflow.language.asl_check.problem import DEEPEST
from linkflow.language.asl_check.scope import Site, is_object
from linkflow.language.asl_check.values import (
    Check,
    boolean,
    expected,
    number,
    selected,
    template,
    text,
    timestamp,
)
from linkflow.language.asl_check.variables import assign
from linkflow.language.json import Json

_ORDERED: Final = ("Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals")

_COMPARED: Final[Mapping[str, Check]] = {"String": text, "Numeric": number, "Timestamp": timestamp}

OPERATORS: Final[Mapping[str, Check]] = {
    **{kind + how: check for kind, check in _COMPARED.items() for how in _ORDERED},
    **{kind + how + "Path": selected for kind in _COMPARED for how in _ORDERED},
    "BooleanEquals": boolean,
    "BooleanEqualsPath": selected,
    "StringMatches": text,
    **{"Is" + kind: boolean for kind in ("Null", "Present", "Numeric", "String", "Boolean", "Timestamp")},
}


def _combined(site: Site, value: Json) -> None:
    if not isinstance(value, list):
        expected(site, "Array")
        return
    if not value:
        site.error(f"The field '{site.place.key}' must not be empty", "Give it at least one rule.")
    for index, rule in enumerate(value):
        _check_rule(site.at(index), rule, _NESTED)


def _negated(site: Site, value: Json) -> None:
    _check_rule(site, value, _NESTED)


_CONDITIONS: Final = {
    "And": only_jsonpath(_combined),
    "Or": only_jsonpath(_combined),
    "Not": only_jsonpath(_negated),
    "Variable": only_jsonpath(selected),
    **{name: only_jsonpath(check) for name, check in OPERATORS.items()},
    "Comment": both(text),
}

_NESTED: Final = Shape(fields=_CONDITIONS)


def condition(site: Site, value: Json) -> None:
    """An expression, or a boolean that decides once and for all."""
    if isinstance(value, str):
        check_jsonata(site, value)
    else:
        boolean(site, value)


_RULE: Final = Shape(
    fields={
        **_CONDITIONS,
        "Condition": only_jsonata(condition),
        "Next": both(text),
        "Assign": both(assign),
        "Output": only_jsonata(template),
    },
    required=("Next",),
)


def rules(site: Site, value: Json) -> None:
    if not isinstance(value, list):
        expected(site, "Array")
        return
    if not value:
        site.error("The field 'Choices' must not be empty", "Give the Choice state at least one rule.")
    for index, rule in enumerate(value):
        if site.language == "JSONata":
            check_shape(site.at(index), rule, _RULE)
            _needs_condition(site.at(index), rule)
        else:
            _check_rule(site.at(index), rule, _RULE)


def _needs_condition(site: Site, rule: Json) -> None:
    if is_object(rule) and "Condition" not in rule:
        site.error("These fields are required: [Condition]", "Add a Condition, such as '{% $states.input.ready %}'.")


def _check_rule(site: Site, rule: Json, shape: Shape) -> None:
    if site.place.depth >= DEEPEST:
        too_deep(site)
        return
    check_shape(site, rule, shape)
    if not is_object(rule):
        return
    combining = [name for name in ("And", "Or", "Not") if name in rule]
    operators = [name for name in rule if name in OPERATORS]
    if combining:
        _combines_alone(site, rule, combining + operators)
    elif "Variable" not in rule:
        site.error(
            "These fields are required: [Variable]",
            "Name what to compare in Variable, or combine rules with And, Or, Not.",
        )
    if not combining and len(operators) != 1:
        found = f", not {len(operators)} ({', '.join(operators)})" if operators else ""
        site.error(
            "A choice rule must have exactly one comparison operator", f"Use exactly one comparison operator{found}."
        )


def _combines_alone(site: Site, rule: Mapping[str, Json], names: list[str]) -> None:
    present = [*names, "Variable"] if "Variable" in rule else names
    if len(present) > 1:
        site.error(
            f"There should only be one of the following fields: [{', '.join(present)}]",
            "Split them into several rules.",
        )
