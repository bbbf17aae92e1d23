"""The context object that a TestState request may bring along (developer guide, Context object)."""

from collections.abc import Iterator, Mapping
from typing import Final

from linkflow.language.asl_check.scope import is_number, is_object
from linkflow.language.json import Json

_FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "Execution": {
        "Id": "a string",
        "Input": "any",
        "Name": "a string",
        "RoleArn": "a string",
        "StartTime": "a string",
        "RedriveCount": "a number",
        "RedriveTime": "a string",
    },
    "State": {"EnteredTime": "a string", "Name": "a string", "RetryCount": "a number"},
    "StateMachine": {"Id": "a string", "Name": "a string"},
    "Task": {"Token": "a string"},
}


def context_faults(context: Json, *, has_token: bool) -> Iterator[str]:
    """What AWS objects to. `has_token`: the state waits for a token or a job, so the context may hold one."""
    if not is_object(context):
        yield "Context object must be a JSON object"
        return
    for name, value in context.items():
        if name == "Map":
            yield "'Map' field is not supported when mocking a Context object"
        elif name not in _FIELDS:
            yield f"Field '{name}' is not allowed"
        elif name == "Task" and not has_token:
            yield (
                "Context object contains 'Task' when state is not a Task state with a '.sync' or '.waitForTaskToken' "
                "service integration pattern"
            )
        elif not is_object(value):
            yield f"{name} must be an object"
        else:
            yield from _within(name, value, _FIELDS[name])


def _within(section: str, value: Mapping[str, Json], known: Mapping[str, str]) -> Iterator[str]:
    for name, member in value.items():
        kind = known.get(name)
        if kind is None:
            yield f"Field '{name}' is not allowed"
        elif (kind == "a string" and not isinstance(member, str)) or (kind == "a number" and not is_number(member)):
            yield f"{section}.{name} must be {kind}"
