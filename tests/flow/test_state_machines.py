"""The States Language through the same doors, on the same engine."""

from typing import Any

from tests.flow.house import House
from tests.flow.outside import Outside


async def created(house: House, definition: dict[str, Any]) -> str:
    body = {"name": "machine", "dialect": "asl", "definition": definition}
    answer = await house.http.post("/api/v1/workflows", json=body)
    assert answer.status_code == 201, answer.text
    identifier: str = answer.json()["id"]
    return identifier


async def test_a_machine_with_choice_map_task_retry_and_wait_gives_its_output(house: House, outside: Outside) -> None:
    call = {
        "Type": "Task",
        "Resource": "linkflow:http_request",
        "Arguments": {"url": f"{outside.address}/flaky/1", "method": "POST", "body": "{% $states.input %}"},
        "Retry": [{"ErrorEquals": ["http_status"], "IntervalSeconds": 1, "MaxAttempts": 2}],
        "Output": "{% $states.result.body.body.n * 2 %}",
        "End": True,
    }
    machine = {
        "QueryLanguage": "JSONata",
        "StartAt": "Any?",
        "States": {
            "Any?": {
                "Type": "Choice",
                "Choices": [{"Condition": "{% $count($states.input.list) > 0 %}", "Next": "Each"}],
                "Default": "None",
            },
            "Each": {
                "Type": "Map",
                "Items": "{% $states.input.list %}",
                "ItemProcessor": {"StartAt": "Call", "States": {"Call": call}},
                "Next": "Rest",
            },
            "Rest": {"Type": "Wait", "Seconds": 1, "End": True},
            "None": {"Type": "Fail", "Error": "Empty", "Cause": "Nothing to do."},
        },
    }
    workflow = await created(house, machine)
    done = await house.start(workflow, {"list": [{"n": 1}, {"n": 2}]}, wait=30)
    assert (done["status"], done["output"]) == ("succeeded", [2, 4])
    empty = await house.start(workflow, {"list": []}, wait=30)
    assert empty["status"] == "failed"
    assert empty["error"] == {"code": "Empty", "message": "Nothing to do.", "node": "None", "path": ""}


async def test_an_execution_can_be_read_in_the_words_of_step_functions(house: House) -> None:
    workflow = await created(house, {"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": 1, "End": True}}})
    started = await house.start(workflow, {}, wait=30)
    told = (await house.http.get(f"/api/v1/executions/{started['id']}/history")).json()["data"]
    assert [event["type"] for event in told] == [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ]
    assert [event["id"] for event in told] == [1, 2, 3, 4]


async def test_a_bad_machine_is_refused_with_every_fault(house: House) -> None:
    definition = {"StartAt": "X", "States": {"A": {"Type": "Pass", "Next": "B"}, "C": {"Type": "Psas", "End": True}}}
    body = {"name": "bad", "dialect": "asl", "definition": definition}
    answer = await house.http.post("/api/v1/workflows", json=body)
    faults = {fault["path"] for fault in answer.json()["error"]["details"]}
    assert answer.status_code == 422
    assert {"$.definition.StartAt", "$.definition.States.A.Next", "$.definition.States.C.Type"} <= faults
    assert (await house.http.get("/api/v1/workflows")).json()["data"] == []


async def test_a_task_that_nothing_here_can_run_fails_and_names_its_resource(house: House) -> None:
    resource = "arn:aws:lambda:us-east-1:123456789012:function:f"
    machine = {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": resource, "End": True}}}
    done = await house.start(await created(house, machine), {}, wait=30)
    assert done["error"]["code"] == "LinkFlow.UnknownResource"
    assert resource in done["error"]["message"]
