"""Runs a recorded TestState request, and compares the answer. `run_state_test` is the seam."""

import json
from collections.abc import Mapping
from typing import Any

from linkflow.execution.commands import RunTask
from linkflow.execution.inspect import Given, Inspection, find, inspect, task_of
from linkflow.execution.state import Failure
from linkflow.language import program as p
from linkflow.language.asl.compile import compile_asl, compile_state
from linkflow.language.json import Json
from linkflow.language.view import MISSING
from tests.conformance.cases import Case, same
from tests.conformance.runner import START
from tests.conformance.stand_ins import StandIns

_ACCOUNT = "arn:aws:states:us-east-1:111111111111"


def run_state_test(case: Case) -> dict[str, Json]:
    """The answer in the API's form."""
    box, given = subject(case), given_of(case)
    if given.result is MISSING and given.failure is None and isinstance(box, p.Task):
        given = _called(case, box, given)
    return answer(inspect(box, given), case["options"].get("inspectionLevel", "INFO"))


def subject(case: Case) -> p.State:
    name, definition = case["options"].get("stateName"), case["definition"]
    program = compile_asl(definition) if name else compile_state("State", definition)
    box = find(program, name or "State")
    assert box is not None
    return box


def given_of(case: Case) -> Given:
    options = case["options"]
    mock, configuration = options.get("mock") or {}, options.get("stateConfiguration") or {}
    failure = mock.get("errorOutput")
    return Given(
        input=case.get("input", {}),
        variables=options.get("variables") or {},
        context=options.get("context"),
        result=json.loads(mock["result"]) if "result" in mock else MISSING,
        failure=Failure(failure.get("error"), failure.get("cause")) if failure else None,
        retries=configuration.get("retrierRetryCount", 0),
        failed_iterations=configuration.get("mapIterationFailureCount", 0),
        items=configuration.get("mapItemReaderData"),
        execution=f"{_ACCOUNT}:express:machine:execution",
        workflow=f"{_ACCOUNT}:stateMachine:machine",
        role=None if "variables" in options else "arn:aws:iam::111111111111:role/test",
        now=START,
    )


def _called(case: Case, box: p.Task, given: Given) -> Given:
    """The state was tested against its service."""
    arguments = task_of(box, given)
    if arguments is MISSING:
        return given
    said = StandIns(case).answer(RunTask(0, 1, 1, box.name, box.resource, arguments, "key"))
    failure = Failure(said.error, said.cause) if said.failed else None
    return Given(given.input, given.variables, given.context, said.result, failure, now=given.now)


def answer(found: Inspection, level: str) -> dict[str, Json]:
    told: dict[str, Json] = {"status": found.status}
    optional: Mapping[str, Any] = {"nextState": found.next, "error": found.error, "cause": found.cause}
    told |= {name: value for name, value in optional.items() if value is not None}
    if found.output is not MISSING:
        told["output"] = found.output
    if level != "INFO":
        told["inspectionData"] = found.data
    return told


def right_answer(case: Case, told: Mapping[str, Json]) -> bool:
    """Status and output (or error), as the outcome of an execution is judged."""
    expected, patterns = case["expected"], case.get("patterns", {})
    names = ("status", "output", "error", "nextState")
    return all(same(expected.get(name), told.get(name), patterns, f"/{name}") for name in names)


def right_inspection(case: Case, told: Mapping[str, Json]) -> bool:
    """Everything that was answered, every stage included."""
    return same(case["expected"], dict(told), case.get("patterns", {}))
