"""The eight state types and their fields (States Language, Table of State Types and fields)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from linkflow.language.asl_check.choices import rules
from linkflow.language.asl_check.fields import Field, Shape, both, check_shape, only_jsonata, only_jsonpath
from linkflow.language.asl_check.handlers import catch, retry, timeouts
from linkflow.language.asl_check.maps import item_batcher, item_reader, items_path, label, result_writer
from linkflow.language.asl_check.resources import resource
from linkflow.language.asl_check.scope import Language, Site, is_object
from linkflow.language.asl_check.values import (
    Check,
    anything,
    array_or_jsonata,
    boolean,
    computed,
    decimal,
    expected,
    message,
    object_template,
    one_of,
    path,
    reference,
    result_path,
    template,
    text,
    timestamp,
    whole,
)
from linkflow.language.asl_check.variables import assign
from linkflow.language.asl_check.waits import waits
from linkflow.language.json import Json

TYPES: Final = ("Task", "Wait", "Pass", "Succeed", "Fail", "Choice", "Parallel", "Map")
"""In the order in which AWS lists them."""

LONGEST_WAIT: Final = 99_999_999
"""Seconds: a little over three years."""


def _after(check: Check) -> Check:
    """The same, where the state has a result to look at."""

    def with_result(site: Site, value: Json) -> None:
        check(replace(site, states_fields=site.states_fields | {"result"}), value)

    return with_result


def result(site: Site, value: Json) -> None:
    """A Pass state's Result is passed on as it is."""
    if is_object(value) and any(key.endswith(".$") for key in value):
        site.warn(
            "The Result of a Pass state is static: paths in it are not evaluated",
            "Use Parameters to compute a value.",
            code="PASS_RESULT_IS_STATIC",
        )


def _end(site: Site, value: Json) -> None:
    if value is not True:
        boolean(site, value)


_NAMED: Final = {
    "Type": both(anything),
    "Comment": both(text),
    "QueryLanguage": both(one_of("JSONPath", "JSONata")),
}
_FILTERED: Final = {
    "InputPath": only_jsonpath(path),
    "OutputPath": only_jsonpath(path),
    "Output": only_jsonata(_after(template)),
}
_MOVING: Final = {"Next": both(text), "End": both(_end), "Assign": both(_after(assign))}
_WORKING: Final = {
    "Parameters": only_jsonpath(template),
    "ResultSelector": only_jsonpath(template),
    "ResultPath": only_jsonpath(result_path),
    "Retry": both(retry),
    "Catch": both(catch),
}
_ONWARD: Final = (("Next", "End"),)


def _pairs(*names: str) -> dict[str, Field]:
    """The `…Path` twin of each field, which exists in JSONPath only."""
    return {name + "Path": only_jsonpath(reference) for name in names}


def _twins(*names: str) -> tuple[tuple[str, ...], ...]:
    return tuple((name, name + "Path") for name in names)


SHAPES: Final[Mapping[str, Shape]] = {
    "Task": Shape(
        fields={
            **_NAMED,
            **_FILTERED,
            **_MOVING,
            **_WORKING,
            "Resource": both(resource),
            "Arguments": only_jsonata(template),
            "TimeoutSeconds": both(whole(1, LONGEST_WAIT)),
            "HeartbeatSeconds": both(whole(1, LONGEST_WAIT)),
            **_pairs("TimeoutSeconds", "HeartbeatSeconds"),
            "Credentials": both(object_template),
        },
        required=("Resource",),
        exclusive=_twins("TimeoutSeconds", "HeartbeatSeconds"),
        exactly=_ONWARD,
    ),
    "Wait": Shape(
        fields={
            **_NAMED,
            **_FILTERED,
            **_MOVING,
            "Seconds": both(whole(0, LONGEST_WAIT)),
            "Timestamp": both(timestamp),
            **_pairs("Seconds", "Timestamp"),
        },
        exactly=(("Seconds", "SecondsPath", "Timestamp", "TimestampPath"), *_ONWARD),
    ),
    "Pass": Shape(
        fields={
            **_NAMED,
            **_FILTERED,
            **_MOVING,
            "Parameters": only_jsonpath(template),
            "Result": only_jsonpath(result),
            "ResultPath": only_jsonpath(result_path),
        },
        exactly=_ONWARD,
    ),
    "Succeed": Shape(fields={**_NAMED, **_FILTERED}),
    "Fail": Shape(
        fields={
            **_NAMED,
            "Error": both(message),
            "Cause": both(message),
            "ErrorPath": only_jsonpath(computed),
            "CausePath": only_jsonpath(computed),
        },
        exclusive=_twins("Error", "Cause"),
    ),
    "Choice": Shape(
        fields={**_NAMED, **_FILTERED, "Choices": both(rules), "Default": both(text), "Assign": both(assign)},
        required=("Choices",),
    ),
    "Parallel": Shape(
        fields={
            **_NAMED,
            **_FILTERED,
            **_MOVING,
            **_WORKING,
            "Branches": both(anything),
            "Arguments": only_jsonata(template),
        },
        required=("Branches",),
        exactly=_ONWARD,
    ),
    "Map": Shape(
        fields={
            **_NAMED,
            **_FILTERED,
            **_MOVING,
            **_WORKING,
            "ItemProcessor": both(anything),
            "Iterator": both(anything),
            "Items": only_jsonata(array_or_jsonata),
            "ItemsPath": only_jsonpath(items_path),
            "ItemSelector": both(template),
            "ItemReader": both(item_reader),
            "ItemBatcher": both(item_batcher),
            "ResultWriter": both(result_writer),
            "MaxConcurrency": both(whole(0)),
            "ToleratedFailureCount": both(whole(0)),
            "ToleratedFailurePercentage": both(decimal(0.0, 100.0)),
            **_pairs("MaxConcurrency", "ToleratedFailureCount", "ToleratedFailurePercentage"),
            "Label": both(label),
        },
        exclusive=(
            *_twins("MaxConcurrency", "ToleratedFailureCount", "ToleratedFailurePercentage"),
            ("ItemSelector", "Parameters"),
        ),
        exactly=(("ItemProcessor", "Iterator"), *_ONWARD),
    ),
}


def language_of(state: Mapping[str, Json], inherited: Language) -> Language:
    """A state's own choice, or that of the whole machine. AWS takes anything but `JSONPath` for JSONata."""
    if "QueryLanguage" not in state:
        return inherited
    return "JSONPath" if state["QueryLanguage"] == "JSONPath" else "JSONata"


def check_state(site: Site, state: Json) -> None:
    """One state, without the machines nested in it."""
    if not is_object(state):
        expected(site, "Object")
        return
    language = language_of(state, site.machine_language)
    if language == "JSONPath" and site.machine_language == "JSONata":
        site.error(
            "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine",
            "Drop the state's QueryLanguage, or set the machine's to JSONPath and each other state's to JSONata.",
        )
        language = "JSONata" if "QueryLanguage" not in state else language
    here = replace(site, language=language, states_fields=frozenset({"input", "context"}))
    shape = _shape_of(here, state)
    if shape is not None:
        check_shape(here, state, shape)
        timeouts(here, state)
        waits(here, state)
        if state.get("End") is False and "Next" not in state:
            here.error("These fields are required: [Next]", "'End': false ends nothing: add Next, or set End to true.")


def _shape_of(site: Site, state: Mapping[str, Json]) -> Shape | None:
    kind = state.get("Type")
    if "Type" not in state:
        site.error("These fields are required: [Type]", f"Add a Type: {', '.join(TYPES)}.")
    elif not isinstance(kind, str) or kind not in SHAPES:
        site.at("Type").error(f"The field 'Type' should have one of these values: [{', '.join(TYPES)}]")
    else:
        return SHAPES[kind]
    return None
