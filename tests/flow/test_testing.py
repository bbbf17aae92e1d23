"""A piece by itself: what a state, a node or an expression makes of data, told before anybody runs the whole."""

import subprocess
import sys
from typing import Any

import pytest

from tests.flow.house import House, node_of
from tests.flow.outside import Outside
from tests.unit.graphs import graph, node

SHAPED = {
    "Type": "Task",
    "Resource": "arn:aws:states:::dynamodb:getItem",
    "InputPath": "$.order",
    "Parameters": {"TableName": "orders", "Key": {"id": {"S.$": "$.id"}}},
    "ResultSelector": {"name.$": "$.Item.name.S"},
    "ResultPath": "$.found",
    "OutputPath": "$.found",
    "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 2, "MaxAttempts": 2, "BackoffRate": 3}],
    "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Sorry"}],
    "Next": "Thanks",
}
ITEM = {"Item": {"name": {"S": "tea"}}}
ORDER = {"order": {"id": "7"}}
WORK = graph(
    [
        node("start", "manual"),
        node("double", "set", {"values": {"n": "{{ trigger.n * 2 }}"}}),
        node("more", "set", {"values": {"n": "{{ input.n + 1 }}"}}),
        node("nap", "delay", {"seconds": 0}),
        node("no", "no_op"),
    ],
    "start -> double",
    "double -> more",
    "more -> nap",
)


async def said(house: House, path: str, body: dict[str, Any]) -> Any:
    answer = await house.http.post(f"/api/v1/{path}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def refused(house: House, path: str, body: dict[str, Any]) -> set[tuple[str, str]]:
    """The (path, code) of every fault."""
    answer = await house.http.post(f"/api/v1/{path}", json=body)
    assert answer.status_code == 422, answer.text
    return {(fault["path"], fault["code"]) for fault in answer.json()["error"]["details"]}


async def state(house: House, definition: dict[str, Any], **more: Any) -> Any:
    return await said(house, "states/test", {"definition": definition, **more})


async def test_every_stage_of_a_mocked_task_is_told(house: House) -> None:
    told = await state(house, SHAPED, input=ORDER, mock={"result": ITEM}, inspection_level="DEBUG")
    assert (told["status"], told["output"], told["next_state"]) == ("SUCCEEDED", {"name": "tea"}, "Thanks")
    assert told["inspection_data"] == {
        "input": ORDER,
        "after_input_path": {"id": "7"},
        "after_parameters": {"TableName": "orders", "Key": {"id": {"S": "7"}}},
        "result": ITEM,
        "after_result_selector": {"name": "tea"},
        "after_result_path": {**ORDER, "found": {"name": "tea"}},
    }
    brief = await state(house, SHAPED, input=ORDER, mock={"result": ITEM})
    assert (brief["output"], brief["inspection_data"]) == ({"name": "tea"}, None)


async def test_a_mocked_error_is_retried_then_caught(house: House) -> None:
    mock = {"error_output": {"error": "Busy", "cause": "later"}}
    asked = {"input": ORDER, "mock": mock, "inspection_level": "DEBUG"}
    again = await state(house, SHAPED, **asked, state_configuration={"retrier_retry_count": 1})
    assert (again["status"], again["error"], again["cause"]) == ("RETRIABLE", "Busy", "later")
    assert again["inspection_data"]["error_details"] == {"retry_index": 0, "retry_backoff_interval_seconds": 6}
    caught = await state(house, SHAPED, **asked, state_configuration={"retrier_retry_count": 2})
    assert (caught["status"], caught["next_state"]) == ("CAUGHT_ERROR", "Sorry")
    assert caught["inspection_data"]["error_details"] == {"retry_index": 0, "catch_index": 0}


async def test_a_state_is_found_in_its_machine_and_sees_variables_and_context(house: House) -> None:
    inner = {
        "Type": "Pass",
        "Output": "{% $who & $states.context.Execution.Name %}",
        "Assign": {"seen": "{% $states.input %}"},
        "End": True,
    }
    machine = {
        "QueryLanguage": "JSONata",
        "StartAt": "Both",
        "States": {"Both": {"Type": "Parallel", "Branches": [{"StartAt": "In", "States": {"In": inner}}], "End": True}},
    }
    more = {"variables": {"who": "you "}, "context": {"Execution": {"Name": "there"}}, "inspection_level": "TRACE"}
    told = await state(house, machine, state_name="In", input=1, **more)
    assert told["output"] == "you there"
    assert told["inspection_data"]["variables"] == {"who": "you ", "seen": 1}
    assert any("TRACE" in note for note in told["notes"])


async def test_a_state_that_holds_one_of_its_own_name_is_still_itself(house: House) -> None:
    inner = {"StartAt": "StateName", "States": {"StateName": {"Type": "Pass", "End": True}}}
    fan = {"Type": "Parallel", "Branches": [inner], "End": True}
    assert (await state(house, fan, mock={"result": [5]}))["output"] == [5]


@pytest.mark.parametrize("kind", ["Task", "Map", "Parallel"])
async def test_what_would_have_to_be_run_needs_a_mock(house: House, kind: str) -> None:
    inner = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
    parts: dict[str, Any] = {
        "Task": {"Resource": "linkflow:no_op"},
        "Map": {"ItemProcessor": inner},
        "Parallel": {"Branches": [inner]},
    }
    body = {"definition": {"Type": kind, "End": True, **parts[kind]}}
    assert await refused(house, "states/test", body) == {("$.mock", "mock_needed")}
    assert await refused(house, "states/test", {**body, "mock": {}}) == {("$.mock", "mock_needed")}


async def test_a_mocked_error_may_be_said_to_have_arisen_inside(house: House) -> None:
    """It changes nothing in the answer; a state that is not there is a mistake."""
    inner = {"StartAt": "In", "States": {"In": {"Type": "Pass", "End": True}}}
    fan = {"Type": "Parallel", "Branches": [inner], "Catch": [{"ErrorEquals": ["E"], "Next": "X"}], "End": True}
    mock = {"error_output": {"error": "E", "cause": "why"}}
    told = await state(house, fan, mock=mock, state_configuration={"error_caused_by_state": "In"})
    assert (told["status"], told["output"]) == ("CAUGHT_ERROR", {"Error": "E", "Cause": "why"})
    place = "$.state_configuration.error_caused_by_state"
    asked = {"definition": fan, "mock": mock, "state_configuration": {"error_caused_by_state": "Out"}}
    assert await refused(house, "states/test", asked) == {(place, "unknown_state")}
    asked = {**asked, "mock": {"result": [1]}, "state_configuration": {"error_caused_by_state": "In"}}
    assert await refused(house, "states/test", asked) == {(place, "no_error")}


async def test_a_test_of_a_state_is_refused_with_every_fault(house: House) -> None:
    bad = {"Type": "Task", "Resource": 1, "Retry": [{}], "Next": "B"}
    assert {("$.definition.Resource", "SCHEMA_VALIDATION_FAILED")} < await refused(
        house, "states/test", {"definition": bad, "mock": {"result": 1}}
    )
    waiting = {"Type": "Wait", "Seconds": 1, "End": True}
    asked = {
        "definition": waiting,
        "mock": {"result": 1, "error_output": {"error": "E"}},
        "context": {"Nonsense": 1},
        "state_configuration": {"map_iteration_failure_count": 1},
    }
    faults = await refused(house, "states/test", asked)
    assert {path for path, _ in faults} == {"$.mock", "$.context", "$.state_configuration"}
    passing = {"definition": {"Type": "Pass", "End": True}, "mock": {"result": None}}
    answer = await house.http.post("/api/v1/states/test", json=passing)
    assert [fault["path"] for fault in answer.json()["error"]["details"]] == ["$.mock"]
    assert await refused(house, "states/test", {"definition": {"StartAt": "A"}, "state_name": "B"}) == {
        ("$.state_name", "ValidationException")
    }


async def test_a_mock_is_compared_with_what_the_service_answers_where_that_is_known(house: House) -> None:
    wrong = {"Item": {"name": "tea"}}
    body = {"definition": SHAPED, "input": ORDER, "mock": {"result": wrong}}
    assert await refused(house, "states/test", body) == {("$.mock", "ValidationException")}
    lenient = {**body, "mock": {"result": ITEM | {"Other": 1}, "field_validation_mode": "PRESENT"}}
    assert (await said(house, "states/test", lenient))["notes"] == []
    own = {"Type": "Task", "Resource": "linkflow:http_request", "End": True}
    (note,) = (await state(house, own, mock={"result": 1}))["notes"]
    assert "linkflow:http_request" in note


def test_without_the_sdk_the_doors_are_there_and_no_model_is_at_hand() -> None:
    said = (
        "import sys; sys.modules['botocore'] = None\n"
        "import functions.api.handler\n"
        "from functions.api.testing.models import model_of\n"
        "assert model_of('dynamodb', 'getItem') is None"
    )
    search = {"PYTHONPATH": ":".join(sys.path)}
    subprocess.run([sys.executable, "-c", said], env=search, check=True)  # noqa: S603 (our own program)


async def tried(house: House, kind: str, config: dict[str, Any], **more: Any) -> Any:
    return await said(house, "nodes/test", {"type": kind, "config": config, **more})


async def test_a_pure_node_shows_its_config_its_output_and_its_exit(house: House) -> None:
    config = {"values": {"sum": "{{ nodes.a.n + trigger.n + input + vars.n }}", "why": "{{ error.code }}"}}
    seen = {"nodes": {"a": {"n": 1}}, "trigger": {"n": 2}, "input": 3, "vars": {"n": 4}, "error": {"code": "E"}}
    told = await tried(house, "set", config, **seen)
    assert told["status"] == "succeeded"
    assert told["config"] == {"values": {"sum": 10, "why": "E"}}
    assert told["output"] == {"sum": 10, "why": "E"}
    left = await tried(house, "condition", {"expression": "{{ input > 1 }}"}, input=1)
    assert (left["exit"], left["output"]) == ("false", 1)
    answer = await tried(house, "respond", {"status": 201, "body": "{{ trigger }}"}, trigger="hi")
    assert answer["response"] == {"status": 201, "headers": {}, "body": "hi"}
    assert (await tried(house, "manual", {}, trigger=1))["output"] == 1


async def test_a_wait_shows_its_moment(house: House) -> None:
    told = await tried(house, "delay", {"until": "{{ trigger }}"}, trigger="2030-01-01T00:00:00Z")
    assert (told["until"], told["status"]) == ("2030-01-01T00:00:00.000Z", "succeeded")


async def test_faults_of_a_config_stand_with_their_paths(house: House) -> None:
    def places(told: Any) -> set[tuple[str, str]]:
        assert told["status"] == "failed"
        return {(fault["path"], fault["code"]) for fault in told["faults"]}

    written = await tried(house, "http_request", {"url": "{{ 1 + }}", "method": "YELL"})
    assert places(written) == {("$.config.url", "bad_expression"), ("$.config.method", "literal_error")}
    values = {"a": "{{ $error('no') }}", "b": [1, "{{ 1 + 'x' }}"], "c": "{{ 1 }}"}
    evaluated = await tried(house, "set", {"values": values})
    failed = "States.QueryEvaluationError"
    assert places(evaluated) == {("$.config.values.a", failed), ("$.config.values.b[1]", failed)}
    computed = await tried(house, "delay", {"seconds": "{{ 'long' }}"})
    assert places(computed) == {("$.config.seconds", "float_parsing")}
    assert (computed["error"]["code"], computed["config"]) == ("LinkFlow.BadConfig", {"seconds": "long"})


async def test_what_no_node_could_be_given_is_refused(house: House) -> None:
    assert await refused(house, "nodes/test", {"type": "teleport"}) == {("$.type", "unknown_type")}
    assert await refused(house, "nodes/test", {"type": "merge", "input": 1}) == {("$.input", "not_an_object")}


async def test_a_task_node_is_carried_out_only_when_asked(house: House, outside: Outside) -> None:
    config = {"url": outside.address + "/{{ input }}"}
    shown = await tried(house, "http_request", config, input="ok")
    assert (shown["status"], shown["config"]["url"]) == ("rendered", f"{outside.address}/ok")
    assert not outside.calls
    done = await tried(house, "http_request", config, input="ok", run=True)
    assert (done["status"], done["output"]["status"]) == ("succeeded", 200)
    failed = await tried(house, "http_request", config, input="status/404", run=True)
    assert (failed["status"], failed["error"]["code"]) == ("failed", "http_status")
    assert sum(outside.calls.values()) == 2


async def test_a_tried_sub_workflow_is_started_and_not_waited_for(house: House) -> None:
    await house.create(WORK, "work")
    told = await tried(house, "sub_workflow", {"workflow": "work", "input": {"n": 1}}, run=True)
    child = await house.closed(told["output"]["execution"])
    assert child["status"] == "succeeded"
    assert told["notes"]


async def preview(house: House, template: Any, **more: Any) -> Any:
    return await said(house, "expressions/preview", {"template": template, **more})


async def test_expressions_see_what_a_node_of_a_past_execution_saw(house: House) -> None:
    past = (await house.execute(WORK, {"n": 4}))["id"]
    template = {"t": "{{ trigger.n }}", "i": "{{ input.n }}", "d": "{{ nodes.double.n }}", "m": "{{ nodes.more.n }}"}
    at_more = await preview(house, template, execution=past, node="more")
    assert at_more == {"value": {"t": 4, "i": 8, "d": 8, "m": None}}
    in_the_end = await preview(house, template, execution=past)
    assert in_the_end == {"value": {"t": 4, "i": 4, "d": 8, "m": 9}}
    named = await preview(house, "{{ execution.id & ' ' & workflow.name & ' ' & workspace.id }}", execution=past)
    assert named["value"].startswith(f"{past} test ws_")


async def test_what_a_node_used_is_what_is_previewed(house: House) -> None:
    """Given an execution; when a node's own config is previewed as that node; then its output comes out again."""
    execution = await house.execute(WORK, {"n": 20})
    for name in ("double", "more"):
        (drawn,) = [one for one in WORK["nodes"] if one["id"] == name]
        told = await preview(house, drawn["config"]["values"], execution=execution["id"], node=name)
        assert told["value"] == node_of(execution, name)["output"]


async def test_roots_of_the_caller_come_first(house: House) -> None:
    past = (await house.execute(WORK, {"n": 4}))["id"]
    roots = {"trigger": {"n": 100}, "input": "mine", "own": [1]}
    told = await preview(house, ["{{ trigger.n }}", "{{ input }}", "{{ own[0] }}"], execution=past, roots=roots)
    assert told == {"value": [100, "mine", 1]}
    assert await preview(house, "{{ trigger }}", roots={"trigger": True}) == {"value": True}
    assert await preview(house, "{{ nodes.nothing }}") == {"value": None}


async def test_an_expression_that_fails_is_told_with_its_place(house: House) -> None:
    told = await preview(house, {"fine": "{{ 1 }}", "list": ["{{ $error('no') }}"]})
    assert set(told) == {"error"}
    assert (told["error"]["code"], told["error"]["path"]) == ("States.QueryEvaluationError", "$.template.list[0]")
    assert "no" in told["error"]["message"]


async def test_what_cannot_be_previewed_is_refused(house: House) -> None:
    bad = {"template": {"a": "{{ 1 + }}", "b": "{{ open"}}
    assert await refused(house, "expressions/preview", bad) == {
        ("$.template.a", "bad_expression"),
        ("$.template.b", "bad_expression"),
    }
    body = {"template": "{{ 1 }}", "execution": "ex_none"}
    assert (await house.http.post("/api/v1/expressions/preview", json=body)).status_code == 404
    past = (await house.execute(WORK, {"n": 1}))["id"]
    never = {**body, "execution": past, "node": "nobody"}
    assert await refused(house, "expressions/preview", never) == {("$.node", "never_entered")}
    assert await refused(house, "expressions/preview", {"template": 1, "node": "a"}) == {("$.execution", "missing")}
    odd = {"template": "{{ 1 }}", "roots": {"vars": 1}}
    assert await refused(house, "expressions/preview", odd) == {("$.body.roots.vars", "dict_type")}


async def test_a_past_state_machine_can_be_looked_at_by_its_states_and_variables(house: House) -> None:
    machine = {
        "StartAt": "A",
        "States": {
            "A": {"Type": "Pass", "Result": {"n": 1}, "Assign": {"seen": 7}, "Next": "B"},
            "B": {"Type": "Fail", "Error": "E"},
        },
    }
    body = {"name": "machine", "dialect": "asl", "definition": machine}
    workflow = (await house.http.post("/api/v1/workflows", json=body)).json()["id"]
    failed = await house.start(workflow, {}, wait=30)
    template = ["{{ nodes.A.n }}", "{{ vars.seen }}"]
    assert await preview(house, template, execution=failed["id"]) == {"value": [1, 7]}
    assert await preview(house, template[1], execution=failed["id"], node="A") == {"value": None}


async def test_a_container_shows_its_own_config_and_leaves_the_graph_inside_as_it_is(house: House) -> None:
    inside = graph([node("a", "set", {"values": {"x": "{{ item }}"}})])
    body = {"nodes": inside["nodes"], "edges": inside["edges"]}
    told = await tried(house, "loop", {"items": "{{ input }}", "body": body}, input=[1, 2])
    assert (told["status"], told["config"]) == ("rendered", {"items": [1, 2], "body": body})
    wrong = await tried(house, "loop", {"items": "{{ input }}", "body": body}, input="none")
    assert [(fault["path"], fault["code"]) for fault in wrong["faults"]] == [("$.config.items", "list_type")]
    bad = await tried(house, "loop", {"items": [], "body": {"nodes": [node("a", "teleport")]}})
    assert [fault["path"] for fault in bad["faults"]] == ["$.config.body.nodes[0].type"]


async def test_expressions_inside_a_loop_see_the_last_item(house: House) -> None:
    inside = graph([node("inner", "set", {"values": {"x": "{{ item * 10 + index }}"}})])
    loop = node("each", "loop", {"items": "{{ trigger }}", "body": {"nodes": inside["nodes"]}, "concurrency": 1})
    past = await house.execute(graph([node("start", "manual"), loop], "start -> each"), [4, 5])
    told = await preview(house, "{{ item * 10 + index }}", execution=past["id"], node="inner")
    assert told == {"value": 51}
    ended = await preview(house, ["{{ nodes.each.x }}", "{{ nodes.inner }}"], execution=past["id"])
    assert ended == {"value": [[40, 51], None]}
