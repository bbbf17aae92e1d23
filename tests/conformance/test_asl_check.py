"""`check_asl` against what Step Functions answered: what it refuses is refused in its words, what it ran is accepted.

The recorded cases lie beside the repository, not in it; without them these tests are skipped. `COUNTS` says how many of
each category agree: numbers that may grow, and never shrink.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader

from linkflow.language.asl_check import check_asl, check_asl_text, errors, refusal, variable_references
from linkflow.language.asl_check.mocks import Model
from linkflow.language.asl_check.test_state import Refusal, StateTest, check_test_state
from linkflow.language.json import Json

ROOT: Final = Path(__file__).parents[3] / "shared" / "conformance"

pytestmark = pytest.mark.skipif(not ROOT.exists(), reason="the recorded cases are not beside the repository")

COUNTS: Final[Mapping[str, int]] = {
    "create: refused with AWS's code": 55,
    "create: in AWS's words": 5,
    "validate": 7,
    "variable_references": 7,
    "execution: accepted": 695,
    "test_state: accepted": 99,
    "test_state: refused in AWS's words": 35,
    "lint-asl-validator": 103,
    "lint-statelint": 66,
}

EMULATED: Final = "Error=ValueError"
"""An emulator's own words instead of AWS's: such a recording says that the definition is refused, not how."""

DISAGREEMENTS: Final[Mapping[str, str]] = {
    "invalid-json-surround-syntax-extra-spaces": "white space inside the delimiters is harmless",
    "invalid-jsonata-surround-syntax-no-spaces": "AWS asks for the delimiters, not for spaces inside them",
    "invalid-math-add": "the types of an intrinsic's arguments are judged when it is evaluated",
    "valid-assign.asl": "`top-level` is no variable name: it could not be read as $top-level",
    "valid-current-value-predicate": "its filters are not in the dialect of paths that Step Functions has",
    "valid-map-noconfig.asl": "ItemReader and ResultWriter need mode DISTRIBUTED",
    "valid-map-with-item-batcher-jsonata": "a state may not go back to JSONPath in a JSONata machine (recorded)",
    "valid-path-array-context": "`[(@.length-1)]` is not in the dialect of paths that Step Functions has",
    "valid-task-intrisic-function": "a CloudFormation object is replaced before Step Functions sees it",
}


MOVED_ON: Final = frozenset(
    {"test-state-validation.present_mode_aws_sdk_lambda_get_function_task-integer_more_than_maximum_allowed"}
)
"""The service has raised its limit since the recording, and its model with it."""


def cases(kind: str) -> list[dict[str, Any]]:
    found = (json.loads(path.read_text()) for path in sorted((ROOT / "asl").glob("*/*.json")))
    return [case for case in found if case["kind"] == kind]


def machine_type(case: Mapping[str, Any]) -> Any:
    return case.get("state_machine_type", "STANDARD")


def test_what_aws_refuses_to_create_is_refused_in_its_words() -> None:
    """Given a definition that AWS refused; when it is checked; then it is refused with AWS's code, and its text."""
    refused = [
        (case["expected"]["exception"], refusal(check_asl(case["definition"], machine_type=machine_type(case))))
        for case in cases("create")
    ]
    assert [answer for answer, ours in refused if ours is None or ours[0] != answer["code"]] == []
    assert len(refused) >= COUNTS["create: refused with AWS's code"]
    worded = [(answer["message"], ours) for answer, ours in refused if not answer["message"].startswith(EMULATED)]
    assert [(text, ours) for text, ours in worded if ours != ("InvalidDefinition", text)] == []
    assert len(worded) >= COUNTS["create: in AWS's words"]


def test_what_aws_diagnoses_is_diagnosed_alike() -> None:
    agreed = 0
    for case in cases("validate"):
        source = case.get("definition_text", json.dumps(case.get("definition")))
        found = errors(check_asl_text(source, machine_type=machine_type(case)))
        diagnostics = [
            {"code": each.code, "location": each.location, "message": each.message, "severity": each.severity}
            for each in found
        ]
        expected = case["expected"]
        assert (expected["result"], expected["diagnostics"]) == ("FAIL" if found else "OK", diagnostics), case["name"]
        agreed += 1
    assert agreed >= COUNTS["validate"]


def test_variables_are_reported_as_aws_reports_them() -> None:
    agreed = 0
    for case in cases("variable_references"):
        assert variable_references(case["definition"]) == case["expected"]["variableReferences"], case["name"]
        agreed += 1
    assert agreed >= COUNTS["variable_references"]


def test_what_aws_ran_is_accepted() -> None:
    """The strongest test against false alarms: each of these definitions was created, and ran."""
    alarms = {
        case["name"]: found
        for case in cases("execution")
        if (found := errors(check_asl(case["definition"], machine_type=machine_type(case))))
    }
    assert alarms == {}
    assert len(cases("execution")) >= COUNTS["execution: accepted"]


def test_what_aws_found_undefined_is_warned_of() -> None:
    """Given executions that failed for want of a variable; when checked; then exactly that variable is named."""
    warned = {
        (case["name"], problem.message.split("'")[1]): case["expected"].get("cause", "")
        for case in cases("execution")
        for problem in check_asl(case["definition"], machine_type=machine_type(case))
        if problem.code == "UNDEFINED_VARIABLE"
    }
    assert warned
    assert all(cause for cause in warned.values()), "each of these executions failed"


class Services:
    """The services' own models, as the SDK ships them."""

    NAMES: Final[Mapping[str, str]] = {"states": "stepfunctions", "sfn": "stepfunctions", "eventbridge": "events"}

    def __init__(self) -> None:
        self._loader = Loader()

    def __call__(self, service: str, operation: str) -> Model | None:
        try:
            document = self._loader.load_service_model(self.NAMES.get(service, service), "service-2")
        except UnknownServiceError:
            return None
        known = document["operations"].get(operation[:1].upper() + operation[1:])
        return Model(known["output"]["shape"], document["shapes"]) if known and "output" in known else None


def requested(case: Mapping[str, Any]) -> StateTest:
    """The request of a case. Recordings leave the role out: it was given, except where its absence is the point."""
    options = case["options"]
    return StateTest(
        definition=case["definition"],
        state_name=options.get("stateName"),
        role_arn=None if "no_role_arn" in case["name"] else "arn:aws:iam::111111111111:role/test",
        mock=options.get("mock"),
        configuration=options.get("stateConfiguration"),
        context=options.get("context"),
    )


def test_requests_to_test_a_state_are_judged_as_aws_judges_them() -> None:
    services = Services()
    accepted = refused = 0
    for case in cases("test_state"):
        if case["name"] in MOVED_ON:
            continue
        answer = case["expected"].get("exception")
        ours = check_test_state(requested(case), services)
        assert ours == (Refusal(answer["code"], answer["message"]) if answer else None), case["name"]
        accepted, refused = accepted + (answer is None), refused + (answer is not None)
    assert accepted >= COUNTS["test_state: accepted"]
    assert refused >= COUNTS["test_state: refused in AWS's words"]


def linted(name: str) -> Iterator[tuple[str, bool, Json]]:
    for entry in json.loads((ROOT / "lint" / f"{name}.json").read_text()):
        yield entry["name"], entry["valid"], entry["definition"]


@pytest.mark.parametrize("linter", ["lint-asl-validator", "lint-statelint"])
def test_two_linters_agree_but_where_a_reason_is_given(linter: str) -> None:
    verdicts = [(name, valid, not errors(check_asl(definition))) for name, valid, definition in linted(linter)]
    assert {name for name, valid, ours in verdicts if valid != ours} <= set(DISAGREEMENTS)
    assert sum(valid == ours for _name, valid, ours in verdicts) >= COUNTS[linter]
