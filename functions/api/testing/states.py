"""A test of a state in the core's words: the request it is judged as, what it is run with, and what it tells.

Source of the rules: Step Functions developer guide, "Using TestState API". Where that API takes JSON in a text, this
one takes JSON, and it has no role: it calls nothing, so a Task needs a mock.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from functions.api.testing.models import model_of
from functions.api.testing.schemas import Mock, TestState
from linkflow.errors import Broken, Fault
from linkflow.execution.inspect import NAME, Given, find
from linkflow.execution.state import Failure
from linkflow.language import program as p
from linkflow.language.asl.compile import compile_asl, compile_state
from linkflow.language.asl_check import Problem, errors
from linkflow.language.asl_check.mocks import integration
from linkflow.language.asl_check.test_state import Refusal, StateTest, objections
from linkflow.language.json import Json
from linkflow.language.view import MISSING

_CAPITAL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_MOCK_NEEDED: Final = (
    "A test runs no Task, Parallel or Map: say with 'mock' what it comes to, as 'result' or as 'error_output'."
)


def faults(body: TestState) -> Sequence[Fault]:
    """Everything for which the test is refused. Takes long (a quarter of a second) where the model of a large service
    is read for the first time."""
    request = StateTest(body.definition, body.state_name, None, _mocked(body.mock), _configured(body), body.context)
    problems, refusals = objections(request, model_of)
    told = [*map(_problem_fault, errors(problems)), *(_fault(one, request) for one in refusals)]
    return told or list(_origin_faults(body))


def _origin_faults(body: TestState) -> Iterator[Fault]:
    """The state in which a mocked error is said to have arisen stands inside the one under test. It changes nothing in
    what is answered (recorded)."""
    origin = body.state_configuration.error_caused_by_state if body.state_configuration else None
    if origin is None:
        return
    place = "$.state_configuration.error_caused_by_state"
    if body.mock is None or body.mock.error_output is None:
        yield Fault(place, "no_error", "Say with 'mock.error_output' which error it is that arose there.")
    if not _holds(body, origin):
        yield Fault(place, "unknown_state", f"The state under test holds no state '{origin}'.")


def _holds(body: TestState, name: str) -> bool:
    program = compile_state(NAME, body.definition) if body.state_name is None else compile_asl(body.definition)
    outer = NAME if body.state_name is None else body.state_name
    home = next((each.address for each in program.machines.values() if outer in each.states), "")
    inside = p.address_of(home, outer, "")
    return any(name in each.states for each in program.machines.values() if each.address.startswith(inside))


def _mocked(mock: Mock | None) -> Mapping[str, Json] | None:
    """The mock as the rules know it; None if it says nothing of what the state comes to."""
    if mock is None or not mock.model_fields_set & {"result", "error_output"}:
        return None
    said: dict[str, Json] = {"fieldValidationMode": mock.field_validation_mode}
    if "result" in mock.model_fields_set:
        said["result"] = msgspec.json.encode(mock.result).decode()
    if mock.error_output is not None:
        said["errorOutput"] = mock.error_output.model_dump()
    return said


def _configured(body: TestState) -> Mapping[str, Json]:
    failures = body.state_configuration and body.state_configuration.map_iteration_failure_count
    return {} if failures is None else {"mapIterationFailureCount": failures}


def _problem_fault(problem: Problem) -> Fault:
    return Fault(f"$.definition{problem.path[1:]}", problem.code, problem.advice or problem.message)


def _fault(refusal: Refusal, request: StateTest) -> Fault:
    if refusal.about == "mock" and request.mock is None:
        return Fault("$.mock", "mock_needed", _MOCK_NEEDED)
    return Fault(f"$.{_snake(refusal.about)}", refusal.code, refusal.message)


def subject(body: TestState) -> p.State:
    """The state under test; the request has no faults."""
    if body.state_name is None:
        return compile_state(NAME, body.definition).root.states[NAME]
    found = find(compile_asl(body.definition), body.state_name)
    if found is None:
        raise Broken(f"The state '{body.state_name}' passed the check but is not in the program.")
    return found


def given(body: TestState, execution: str, now: float) -> Given:
    mock, configuration = body.mock, body.state_configuration
    failure = mock.error_output if mock else None
    return Given(
        input=body.input,
        variables=body.variables,
        context=body.context,
        result=mock.result if mock and "result" in mock.model_fields_set else MISSING,
        failure=Failure(failure.error, failure.cause) if failure else None,
        retries=configuration.retrier_retry_count if configuration else 0,
        failed_iterations=(configuration and configuration.map_iteration_failure_count) or 0,
        items=configuration.map_item_reader_data if configuration else None,
        execution=execution,
        now=now,
    )


def notes(body: TestState, box: p.State) -> Iterator[str]:
    """What the test leaves unsaid."""
    if body.inspection_level == "TRACE":
        yield "TRACE shows no more than DEBUG: a test sends no HTTP request."
    mock = body.mock
    if isinstance(box, p.Task) and mock and mock.error_output is None and mock.field_validation_mode != "NONE":
        called = integration(box.resource)
        if called is None or model_of(*called) is None:
            yield f"The mocked result was taken as it is: no model of what '{box.resource}' answers is at hand."


def staged(data: Mapping[str, Json]) -> dict[str, Json]:
    """The stages in this API's spelling; what they hold is the caller's."""
    named = {_snake(name): value for name, value in data.items()}
    if details := named.get("error_details"):
        named["error_details"] = {_snake(name): value for name, value in details.items()}
    return named


def _snake(name: str) -> str:
    return _CAPITAL.sub("_", name).lower()
