"""Numbers and kinds of values that a definition leaves to its data, and what becomes of those that do not fit."""

from typing import Any, Final

import pytest

from linkflow.execution.inspect import Given, find, inspect
from linkflow.execution.limits import LARGEST_VALUE
from linkflow.language.asl import compile_asl
from linkflow.language.json import Json
from tests.unit.driver import Run

CSV: Final = "a,b\n1,2\n3,4\n"


def run(state: dict[str, Any], value: Json, language: str = "JSONPath") -> Run:
    return Run(compile_asl({"StartAt": "S", "QueryLanguage": language, "States": {"S": state}})).start(value)


def reading(**config: Any) -> dict[str, Any]:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "P",
        "States": {"P": {"Type": "Pass", "End": True}},
    }
    reader = {"Resource": "arn:aws:states:::s3:getObject", "Parameters": {"Bucket": "b", "Key": "k"}}
    return {
        "Type": "Map",
        "ItemProcessor": processor,
        "ItemReader": {**reader, "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", **config}},
        "End": True,
    }


def test_a_reader_that_may_bring_fewer_than_no_items_fails_as_a_reader() -> None:
    failed = run(reading(MaxItemsPath="$.most"), {"most": -1}).state
    assert failed.failure is not None
    assert (failed.failure.error, failed.failure.cause) == (
        "States.ItemReaderFailed",
        "field MaxItems must be positive",
    )


@pytest.mark.parametrize("field", ["TimeoutSeconds", "HeartbeatSeconds"])
@pytest.mark.parametrize("seconds", [0, -5])
def test_a_task_is_given_no_time_at_all_by_mistake_only(field: str, seconds: int) -> None:
    """Given a task whose time comes from its input; when that is none; then it is not called and timed out at once."""
    task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}
    failed = run({**task, f"{field}Path": "$.s"}, {"s": seconds}).state
    assert failed.failure is not None
    assert failed.failure.error == "States.Runtime"
    assert f"{field} must be a positive integer." in str(failed.failure.cause)
    asked = run({**task, field: "{% $states.input.s %}"}, {"s": 1.5}, "JSONata").state
    assert asked.failure is not None
    assert asked.failure.error == "States.QueryEvaluationError"


@pytest.mark.parametrize("source", ["function($x) { $x }", "$sum", "/a+/"])
def test_an_expression_that_gives_a_function_gives_no_data(source: str) -> None:
    failed = run({"Type": "Pass", "Output": f"{{% {source} %}}", "End": True}, {}, "JSONata").state
    assert failed.failure is not None
    assert failed.failure.error == "States.QueryEvaluationError"
    assert f"'{source}' specified for the field 'Output' returned an unsupported result type." in str(
        failed.failure.cause
    )


def stages(state: dict[str, Any], items: list[Json] | str) -> dict[str, Any]:
    box = find(compile_asl({"StartAt": "S", "States": {"S": state}}), "S")
    assert box is not None
    return dict(inspect(box, Given({}, result=[], items=items)).data)


def test_what_a_reader_reads_is_read_in_a_test_of_the_state_too() -> None:
    """Given the text of a file instead of items; then the iterations would receive its rows."""
    selector = {"ItemSelector": {"v.$": "$$.Map.Item.Value"}}
    rows: list[Json] = [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]
    assert stages({**reading(), **selector}, CSV)["afterItemSelector"] == [{"v": row} for row in rows]
    assert stages({**reading(), **selector}, rows)["afterItemSelector"] == [{"v": row} for row in rows]
    assert stages({**reading(MaxItems=1), **selector}, CSV)["afterItemSelector"] == [{"v": rows[0]}]


def test_a_pointer_into_a_file_is_followed_in_a_test_of_the_state() -> None:
    state = reading()
    state["ItemReader"]["ReaderConfig"] = {"InputType": "JSON", "ItemsPointer": "/rows"}
    assert stages(state, '{"rows": [1, 2]}')["afterItemsPointer"] == [1, 2]
    box = find(compile_asl({"StartAt": "S", "States": {"S": state}}), "S")
    assert box is not None
    assert inspect(box, Given({}, result=[], items="{}")).error == "States.ItemReaderFailed"


@pytest.mark.parametrize("kind", ["Map", "Parallel"])
def test_what_iterations_or_branches_make_together_may_be_too_large(kind: str) -> None:
    """Given results of which each is small enough; when all of them are not; then the state that gathers them fails."""
    inner = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    parts: dict[str, dict[str, Any]] = {"Map": {"ItemProcessor": inner}, "Parallel": {"Branches": [inner] * 3}}
    size = LARGEST_VALUE // 2
    value: Json = ["x" * (size // 10)] * 9
    caught = [{"ErrorEquals": ["States.DataLimitExceeded"], "Next": "Mend", "ResultPath": "$"}]
    state = {"Type": kind, "Catch": caught, "Next": "Mend", **parts[kind]}
    if kind == "Map":
        state |= {"ItemSelector": {"a.$": "$$.Map.Item.Value", "b.$": "$$.Map.Item.Value", "c.$": "$$.Map.Item.Value"}}
    states = {"S": state, "Mend": {"Type": "Pass", "End": True}}
    run = Run(compile_asl({"StartAt": "S", "States": states})).start(value)
    assert run.state.output == {
        "Error": "States.DataLimitExceeded",
        "Cause": "An error occurred while executing the state 'S' (entered at the event id #2). "
        "The state/task 'S' returned a result with a size exceeding the maximum number of bytes service limit.",
    }
