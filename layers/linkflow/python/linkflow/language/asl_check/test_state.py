"""May this state be tested in this way? The rules of the TestState request itself, before anything runs.

AWS answers with the first fault, so the checks stand in its order: the state is found, its definition is right, the
configuration and the kind of state fit the kind of test, then the mock and the context.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from linkflow.language.asl_check.context_object import context_faults
from linkflow.language.asl_check.machine import LONGEST_STATE_NAME, check_asl, nested
from linkflow.language.asl_check.mocks import Mode, Models, integration, mismatch
from linkflow.language.asl_check.problem import Place, Problem, errors, refusal
from linkflow.language.asl_check.scope import is_number, is_object
from linkflow.language.asl_check.states import TYPES
from linkflow.language.json import Json

_WAITS: Final = re.compile(r"\.(?:sync|waitForTaskToken)(?::\d+)?\Z")
_COMPOSITE: Final = ("Map", "Parallel")
_FRAMED: Final = "\0"
"""The name that a lone state is given: nobody names a state so, hence it is no duplicate of one inside."""

_FRAME: Final = Place().at("States", _FRAMED)
_MOCKED: Final = ("Task", "Map", "Parallel")


Part = Literal["definition", "stateName", "mock", "stateConfiguration", "context"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The exception that AWS answers with, and the part of the request it is about."""

    code: str
    message: str
    about: Part = field(default="definition", compare=False)


@dataclass(frozen=True, slots=True)
class StateTest:
    """A TestState request. `definition` is a state, or with `state_name` a machine that holds it; `mock` and
    `configuration` are as the API takes them (`result`, `errorOutput`,
    `fieldValidationMode`; `mapIterationFailureCount`, …)."""

    definition: Json
    state_name: str | None = None
    role_arn: str | None = None
    mock: Mapping[str, Json] | None = None
    configuration: Mapping[str, Json] | None = None
    context: Json = None


def check_test_state(request: StateTest, models: Models) -> Refusal | None:
    """The first thing wrong with the request, or None: it may run."""
    problems, refusals = objections(request, models)
    if refused := refusal(problems):
        return Refusal(*refused)
    return refusals[0] if refusals else None


def objections(request: StateTest, models: Models) -> tuple[list[Problem], list[Refusal]]:
    """Everything wrong with the request: with the definition (warnings included), and with the test. Of a definition
    with errors no more is asked."""
    name = request.state_name
    if name is not None and len(name) > LONGEST_STATE_NAME:
        too_long = (
            f"1 validation error detected: Value '{name}' at 'stateName' failed to satisfy constraint: "
            f"Member must have length less than or equal to {LONGEST_STATE_NAME}"
        )
        return [], [_invalid(too_long, "stateName")]
    found = _subject(request)
    if found is None:
        return [], [_invalid("State not found in definition", "stateName")]
    state, problems = found
    return problems, [] if errors(problems) else list(_faults(request, state, models))


def _invalid(message: str, about: Part) -> Refusal:
    return Refusal("ValidationException", message, about)


def _subject(request: StateTest) -> tuple[Mapping[str, Json], list[Problem]] | None:
    """The state under test, and what is wrong with its definition. A lone state leads nowhere: its
    targets are not asked for."""
    document = request.definition
    if request.state_name is not None:
        state = _find(document, request.state_name)
        return None if state is None else (state, check_asl(document))
    machine = {"StartAt": _FRAMED, "States": {_FRAMED: document}}
    problems = [_unframed(problem) for problem in check_asl(machine) if not _of_the_frame(problem)]
    return (document if is_object(document) else {}), problems


def _of_the_frame(problem: Problem) -> bool:
    """Of the machine that was put around the state, not of those inside it."""
    if problem.code == "MISSING_END_STATE":
        return problem.path == "$"
    return problem.code == "MISSING_TRANSITION_TARGET" and ".States" not in problem.path.removeprefix(_FRAME.path)


def _unframed(problem: Problem) -> Problem:
    """Where the caller wrote it."""
    location = problem.location and problem.location.removeprefix(_FRAME.location)
    return replace(problem, location=location or "/", path="$" + problem.path.removeprefix(_FRAME.path))


def _find(document: Json, name: str) -> Mapping[str, Json] | None:
    """The state of that name, in nested machines too: names are unique in the whole definition."""
    waiting = [document]
    while waiting:
        machine = waiting.pop()
        states = machine.get("States") if is_object(machine) else None
        if not is_object(states):
            continue
        found = states.get(name)
        if is_object(found):
            return found
        for state in states.values():
            if is_object(state):
                waiting.extend(nested(state))
    return None


def _faults(request: StateTest, state: Mapping[str, Json], models: Models) -> Iterator[Refusal]:
    kind, mock = state.get("Type"), request.mock
    yield from _configuration_faults(request, state)
    if mock is None and kind in _COMPOSITE:
        supported = ", ".join(name for name in TYPES if name not in _COMPOSITE)
        yield Refusal(
            "InvalidDefinition",
            f"TestState API does not support Map or Parallel states. Supported state types include: [{supported}]",
            "mock",
        )
    if mock is not None and kind not in _MOCKED:
        yield _invalid(f"State type '{kind}' is not supported when a mock is specified", "mock")
    if mock is None and kind == "Task" and request.role_arn is None:
        yield _invalid("RoleArn must be specified when testing a Task state", "mock")
    if mock is not None and kind in _MOCKED:
        yield from _mock_faults(mock, request, state, models)
    if request.context is not None:
        waits = kind == "Task" and bool(_WAITS.search(str(state.get("Resource"))))
        for fault in context_faults(request.context, has_token=waits):
            yield _invalid(f"Invalid Context object provided: {fault}", "context")


def _configuration_faults(request: StateTest, state: Mapping[str, Json]) -> Iterator[Refusal]:
    configuration = request.configuration or {}
    if "mapIterationFailureCount" in configuration:
        part: Part = "stateConfiguration"
        if request.mock is None:
            yield _invalid("TestState does not support MapIterationFailureCount when a mock is not specified.", part)
        if state.get("Type") != "Map":
            yield _invalid("MapIterationFailureCount can only be specified for a Map state", part)


def _mock_faults(
    mock: Mapping[str, Json], request: StateTest, state: Mapping[str, Json], models: Models
) -> Iterator[Refusal]:
    if "result" in mock and "errorOutput" in mock:
        yield _invalid("A test mock should have only one of the following fields: [result, errorOutput].", "mock")
    if "result" not in mock:
        return
    try:
        result = json.loads(mock["result"])
    except (TypeError, ValueError, RecursionError):
        yield _invalid("Mocked result must be valid JSON", "mock")
        return
    if state.get("Type") == "Task":
        yield from _service_faults(result, mock.get("fieldValidationMode", "STRICT"), state, models)
    else:
        yield from _shape_faults(result, request, state)


def _service_faults(result: Json, mode: Mode, state: Mapping[str, Json], models: Models) -> Iterator[Refusal]:
    called = integration(str(state.get("Resource")))
    model = models(*called) if called else None
    fault = mismatch(result, model, mode) if model else None
    if fault is not None:
        yield _invalid(f"Mock result schema validation error: {fault}", "mock")


def _shape_faults(result: Json, request: StateTest, state: Mapping[str, Json]) -> Iterator[Refusal]:
    if state.get("Type") == "Map" and "ResultWriter" in state:
        if not is_object(result):
            yield _invalid("Mocked result must be a JSON object.", "mock")
        return
    if not isinstance(result, list):
        yield _invalid("Mocked result must be an array.", "mock")
        return
    if state.get("Type") == "Parallel" and len(result) != len(state["Branches"]):
        wanted = "Mocked result must contain the same number of items as number of Parallel branches."
        yield _invalid(wanted, "mock")
    failures = (request.configuration or {}).get("mapIterationFailureCount")
    if is_number(failures) and failures > len(result):
        wanted = "Map iteration failure count must be less than or equal to the number of Map iterations"
        yield _invalid(wanted, "stateConfiguration")
