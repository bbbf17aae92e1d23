"""Retry and Catch: which errors, how often and how long, and where to go (States Language, Errors)."""

from dataclasses import replace
from typing import Final

from linkflow.language.asl_check.fields import Shape, both, check_each, only_jsonata, only_jsonpath
from linkflow.language.asl_check.scope import Site, is_number, is_object
from linkflow.language.asl_check.values import (
    decimal,
    expected,
    one_of,
    result_path,
    template,
    text,
    whole,
)
from linkflow.language.asl_check.variables import assign
from linkflow.language.json import Json

ALL: Final = "States.ALL"

ERRORS: Final = frozenset(
    {
        ALL,
        "States.BranchFailed",
        "States.DataLimitExceeded",
        "States.ExceedToleratedFailureThreshold",
        "States.HeartbeatTimeout",
        "States.Http.Socket",
        "States.IntrinsicFailure",
        "States.ItemReaderFailed",
        "States.NoChoiceMatched",
        "States.ParameterPathFailure",
        "States.Permissions",
        "States.QueryEvaluationError",
        "States.ResultPathMatchFailure",
        "States.ResultWriterFailed",
        "States.Runtime",
        "States.TaskFailed",
        "States.Timeout",
    }
)
"""Names that begin with `States.` are the interpreter's own (States Language, Appendix A, and the developer guide)."""


def error_names(site: Site, value: Json) -> None:
    if not isinstance(value, list):
        expected(site, "Array")
        return
    if not value:
        site.error("ErrorEquals must not be empty", f"Name the errors to handle, or ['{ALL}'].")
    if ALL in value and len(value) > 1:
        site.error(f"{ALL} must appear alone", f"Give {ALL} a last entry of its own.")
    for index, name in enumerate(value):
        text(site.at(index), name)
        if isinstance(name, str) and name.startswith("States.") and name not in ERRORS:
            site.at(index).warn(
                f"'{name}' is not an error that Step Functions raises",
                "Names that begin with 'States.' are reserved; correct the spelling or choose another name.",
                code="UNKNOWN_ERROR_NAME",
            )


RETRIER: Final = Shape(
    fields={
        "ErrorEquals": both(error_names),
        "IntervalSeconds": both(whole(1, 99_999_999, queried=False)),
        "MaxAttempts": both(whole(0, 99_999_999, queried=False)),
        "BackoffRate": both(decimal(1.0, queried=False)),
        "MaxDelaySeconds": both(whole(1, 31_622_400, queried=False)),
        "JitterStrategy": both(one_of("FULL", "NONE")),
        "Comment": both(text),
    },
    required=("ErrorEquals",),
)


def _with_error(site: Site) -> Site:
    return replace(site, states_fields=site.states_fields | {"errorOutput"})


def _error_template(site: Site, value: Json) -> None:
    template(_with_error(site), value)


def _error_assign(site: Site, value: Json) -> None:
    assign(_with_error(site), value)


CATCHER: Final = Shape(
    fields={
        "ErrorEquals": both(error_names),
        "Next": both(text),
        "ResultPath": only_jsonpath(result_path),
        "Output": only_jsonata(_error_template),
        "Assign": both(_error_assign),
        "Comment": both(text),
    },
    required=("ErrorEquals", "Next"),
)


def retry(site: Site, value: Json) -> None:
    check_each(site, value, RETRIER)
    if isinstance(value, list):
        _all_comes_last(site, value)
        for index, retrier in enumerate(value):
            _delays_agree(site.at(index, "MaxDelaySeconds"), retrier)


def catch(site: Site, value: Json) -> None:
    check_each(site, value, CATCHER)
    if isinstance(value, list):
        _all_comes_last(site, value)


def _all_comes_last(site: Site, entries: list[Json]) -> None:
    for index, entry in enumerate(entries[:-1]):
        names = entry.get("ErrorEquals") if is_object(entry) else None
        if isinstance(names, list) and ALL in names:
            site.at(index, "ErrorEquals").error(
                f"{ALL} must be in the last entry of {site.place.key}",
                "Move it to the end: what follows it is never tried.",
            )


def _delays_agree(site: Site, retrier: Json) -> None:
    if not is_object(retrier):
        return
    longest, first = retrier.get("MaxDelaySeconds"), retrier.get("IntervalSeconds", 1)
    if is_number(longest) and is_number(first) and longest <= first:
        site.error(
            "MaxDelaySeconds must be greater than IntervalSeconds", "Raise MaxDelaySeconds or lower IntervalSeconds."
        )


def timeouts(site: Site, state: dict[str, Json]) -> None:
    """A heartbeat that is not shorter than the timeout would never be missed."""
    whole_time, beat = state.get("TimeoutSeconds"), state.get("HeartbeatSeconds")
    if is_number(whole_time) and is_number(beat) and beat >= whole_time:
        site.at("HeartbeatSeconds").error(
            "HeartbeatSeconds must be smaller than TimeoutSeconds", "Lower HeartbeatSeconds or raise TimeoutSeconds."
        )
