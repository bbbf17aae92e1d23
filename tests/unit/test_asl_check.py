"""What `check_asl` promises of any document, and what it says of problems."""

import json
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkflow.language.asl_check import check_asl, check_asl_text, errors, refusal, variable_references
from linkflow.language.asl_check.mocks import Model
from linkflow.language.asl_check.problem import MOST_PROBLEMS, Problem
from linkflow.language.asl_check.states import SHAPES, TYPES
from linkflow.language.asl_check.test_state import StateTest, check_test_state
from linkflow.language.json import Json
from tests.unit.machines import END, found, machine, task

WORDS: Final = sorted(
    {name for shape in SHAPES.values() for name in shape.fields}
    | {
        "States",
        "StartAt",
        "A",
        "B",
        "ProcessorConfig",
        "Mode",
        "ErrorEquals",
        "And",
        "Or",
        "Not",
        "Variable",
        "Condition",
    }
)
TEXTS: Final = [
    "A",
    "B",
    "JSONata",
    "JSONPath",
    "$.a",
    "$$",
    "$x",
    "{% $y %}",
    "{% ( %}",
    "{%",
    "States.UUID()",
    "",
    *SHAPES,
]

numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
leaves = st.none() | st.booleans() | numbers | st.sampled_from(TEXTS) | st.text(max_size=8)
odd = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=8), inner, max_size=6)
    ),
    max_leaves=30,
)


def nested_maps(depth: int) -> Json:
    inner: Json = machine(END)
    for _ in range(depth):
        inner = machine({"Type": "Map", "ItemProcessor": inner, "End": True})
    return inner


@given(odd)
def test_any_json_is_judged_and_none_raises(document: Json) -> None:
    assert all(isinstance(problem, Problem) for problem in check_asl(document))
    assert isinstance(variable_references(document), dict)


@given(st.dictionaries(st.sampled_from(["A", "B"]), odd), st.sampled_from(["JSONPath", "JSONata"]))
def test_any_states_are_judged_and_none_raises(states: Json, language: str) -> None:
    document = {"StartAt": "A", "States": states, "QueryLanguage": language}
    problems = check_asl(document)
    assert (refusal(problems) is None) == (not errors(problems))


@given(st.sampled_from(sorted(SHAPES)), st.dictionaries(st.sampled_from(WORDS), odd, max_size=8))
def test_any_field_of_any_type_is_judged_and_none_raises(kind: str, fields: dict[str, Json]) -> None:
    state = {**fields, "Type": kind}
    check_asl(machine(state))
    check_test_state(StateTest(state, mock={"result": "[1]"}, context=fields), lambda _service, _operation: None)


@given(st.text(max_size=40) | odd.map(json.dumps))
def test_any_text_is_judged_and_none_raises(source: str) -> None:
    assert all(isinstance(problem, Problem) for problem in check_asl_text(source))


@pytest.mark.parametrize("depth", [100, 2_000])
def test_what_is_nested_too_deeply_is_refused_in_bounded_depth(depth: int) -> None:
    template: Json = "x"
    for _ in range(depth):
        template = {"a": [template]}
    for document in (
        nested_maps(depth),
        machine({**END, "Parameters": template}),
        machine({**END, "Assign": template}),
    ):
        assert "TOO_DEEPLY_NESTED" in {problem.code for problem in check_asl(document)}


DEEP_JSONATA: Final = "{% " + "(" * 5_000 + "1" + ")" * 5_000 + " %}"
DEEP_PATH: Final = "$" + "[?(@.a" * 3_000
DEEP_CALL: Final = "States.JsonToString(" * 3_000 + "$" + ")" * 3_000


@pytest.mark.parametrize(
    "document",
    [
        machine({**END, "Output": {"a": DEEP_JSONATA}}, QueryLanguage="JSONata"),
        machine({**END, "InputPath": DEEP_PATH}),
        machine({**END, "Parameters": {"a.$": DEEP_PATH}}),
        machine({**END, "Parameters": {"a.$": DEEP_CALL}}),
    ],
)
def test_an_expression_that_nests_without_end_is_refused(document: Json) -> None:
    assert errors(check_asl(document))


def test_text_that_nests_without_end_is_refused() -> None:
    assert [problem.code for problem in check_asl_text("[" * 1_000_000)] == ["TOO_DEEPLY_NESTED"]


def test_a_report_has_an_end_and_so_does_a_location() -> None:
    problems = check_asl(
        machine(*[]) | {"States": {"x" * 100_000: {"Type": "Pass", **{f"f{n}": 1 for n in range(5_000)}}}}
    )
    assert len(problems) == MOST_PROBLEMS
    assert max(len(problem.path) for problem in problems) < 1_000


def test_every_problem_is_found_at_once() -> None:
    document = machine(
        {"Type": "Wait", "Seconds": -1, "Timestamp": "tomorrow", "Next": "Nowhere"},
        {"Type": "Pas"},
        {"Type": "Task", "End": True, "Retry": [{"ErrorEquals": []}]},
        Version="2.0",
    )
    assert found(document) == [
        ("/Version", "The field 'Version' should have one of these values: [1.0]"),
        (
            "/States/A",
            "There should only be one of the following fields: [Seconds, SecondsPath, Timestamp, TimestampPath]",
        ),
        ("/States/A/Seconds", "Minimum value is 0"),
        ("/States/A/Timestamp", "String does not match RFC3339 timestamp"),
        ("/States/B/Type", f"The field 'Type' should have one of these values: [{', '.join(TYPES)}]"),
        ("/States/C", "These fields are required: [Resource]"),
        ("/States/C/Retry[0]/ErrorEquals", "ErrorEquals must not be empty"),
        ("/States/A/Next", "Missing 'Next' target: Nowhere"),
        ("/States/B", 'State "B" is not reachable.'),
        ("/States/C", 'State "C" is not reachable.'),
    ]


def test_every_problem_says_where_it_is_in_both_manners_and_how_to_mend_it() -> None:
    branches = [machine({"Type": "Task", "Resource": 1, "End": True})]
    (problem,) = check_asl(
        {"StartAt": "my fan", "States": {"my fan": {"Type": "Parallel", "Branches": branches, "End": True}}}
    )
    assert problem.location == "/States/my fan/Branches[0]/States/A/Resource"
    assert problem.path == "$.States['my fan'].Branches[0].States.A.Resource"
    assert problem.advice


@pytest.mark.parametrize("kind", sorted(SHAPES))
@pytest.mark.parametrize(("language", "other"), [("JSONPath", "JSONata"), ("JSONata", "JSONPath")])
def test_a_field_of_the_other_query_language_is_refused_everywhere(kind: str, language: str, other: str) -> None:
    for name in (name for name, field in SHAPES[kind].fields.items() if field.language == other):
        state = {"Type": kind, name: "x"}
        ours = f"The QueryLanguage is set to '{language}', but field '{name}' is"
        assert ("/States/A", f"{ours} only supported for the '{other}' QueryLanguage") in found(
            machine(state, QueryLanguage=language)
        )


@pytest.mark.parametrize("kind", sorted(SHAPES))
def test_a_field_that_the_type_does_not_have_is_refused(kind: str) -> None:
    for name in {name for shape in SHAPES.values() for name in shape.fields} - set(SHAPES[kind].fields):
        assert ("/States/A", f"Field '{name}' is not supported") in found(machine({"Type": kind, name: "x"}))


def test_a_distributed_processor_does_not_see_the_variables_around_it() -> None:
    reading = {"StartAt": "I", "States": {"I": {**END, "InputPath": "$x"}}}
    distributed = {**reading, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    for processor, codes in ((reading, []), (distributed, ["UNDEFINED_VARIABLE"])):
        each = {"Type": "Map", "ItemProcessor": processor, "Next": "B"}
        assert [problem.code for problem in check_asl(machine(each, {**END, "Assign": {"x": 1}}))] == codes


def test_a_variable_written_as_text_is_warned_of_where_there_is_one() -> None:
    passed = machine({**END, "Assign": {"x": 1}, "Parameters": {"a": "$x", "b": "$5"}})
    assert [(problem.code, problem.path) for problem in check_asl(passed)] == [("NO_DOLLAR", "$.States.A.Parameters.a")]


def test_several_problems_are_refused_in_one_sentence() -> None:
    document = {"StartAt": "a", "States": {"a": {"Type": "Pass", "Next": "c"}, "b": END}}
    missing = "MISSING_TRANSITION_TARGET: Missing 'Next' target: c at /States/a/Next"
    unreachable = 'MISSING_TRANSITION_TARGET: State "b" is not reachable. at /States/b'
    expected = f"Invalid State Machine Definition: '{missing}, {unreachable}'"
    assert refusal(check_asl(document)) == ("InvalidDefinition", expected)


def test_a_warning_refuses_nothing() -> None:
    problems = check_asl(machine({**END, "Parameters": {"a": "$.b"}}))
    assert [problem.code for problem in problems] == ["NO_DOLLAR"]
    assert refusal(problems) is None


SHAPE: Final = Model(
    "Answer",
    {
        "Answer": {
            "type": "structure",
            "required": ["count"],
            "members": {"count": {"shape": "N"}, "tags": {"shape": "L"}},
        },
        "N": {"type": "integer", "min": 1, "max": 9},
        "L": {"type": "list", "member": {"shape": "S"}},
        "S": {"type": "string", "min": 1, "enum": ["a", "b"]},
    },
)


def test_a_state_name_that_no_state_can_have_is_refused() -> None:
    refused = check_test_state(StateTest(machine(END), state_name="x" * 81), lambda _service, _operation: None)
    assert refused is not None
    assert refused.message.endswith("Member must have length less than or equal to 80")


def test_a_lone_state_is_refused_where_its_author_wrote_it() -> None:
    refused = check_test_state(
        StateTest({"Type": "Wait", "Seconds": -1, "End": True}), lambda _service, _operation: None
    )
    assert refused is not None
    assert (
        refused.message
        == "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: Minimum value is 0 at /Seconds'"
    )


def test_a_lone_state_may_hold_states_of_any_name() -> None:
    for name in ("State", "A", "x.States.y"):
        inside = {"StartAt": name, "States": {name: END}}
        state = {"Type": "Parallel", "Branches": [inside], "Next": "Elsewhere"}
        assert check_test_state(StateTest(state, mock={"result": "[1]"}), lambda _service, _operation: None) is None


@pytest.mark.parametrize(
    ("mode", "result", "fault"),
    [
        ("STRICT", {"Count": 1, "Tags": ["a"], "Other": 1}, None),
        ("STRICT", {}, "Required field 'Count' is missing"),
        ("PRESENT", {}, None),
        ("PRESENT", {"Count": 0}, "Field 'Count' is smaller than the minimum value"),
        ("PRESENT", {"Count": 10}, "Field 'Count' exceeds the maximum value"),
        ("PRESENT", {"Count": True}, "Field 'Count' must be a number"),
        ("PRESENT", {"Tags": {}}, "Field 'Tags' must be an array"),
        ("PRESENT", {"Tags": ["a", 1]}, "Field 'Tags' must be a string"),
        ("PRESENT", {"Tags": ["c"]}, "Field 'Tags' is not an expected value"),
        ("NONE", {"Count": "x"}, None),
    ],
)
def test_a_mocked_result_is_held_against_the_services_model(mode: str, result: Json, fault: str | None) -> None:
    state = task(Resource="arn:aws:states:::aws-sdk:some:call")
    mock = {"result": json.dumps(result), "fieldValidationMode": mode}
    refused = check_test_state(StateTest(state, mock=mock), lambda _service, _operation: SHAPE)
    assert (refused and refused.message) == (fault and f"Mock result schema validation error: {fault}")
