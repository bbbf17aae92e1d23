"""Executions that start others, wait for them, and end them."""

from itertools import pairwise
from typing import Any

import pytest

from linkflow.engine.children import begin
from linkflow.engine.engine import Call
from linkflow.execution.commands import RunTask
from linkflow.stores.accounts import Accounts
from tests.flow.house import House, node_of
from tests.flow.outside import Outside

Json = Any


def node(identifier: str, kind: str, /, **config: Json) -> Json:
    return {"id": identifier, "type": kind, "config": config}


def row(*nodes: Json) -> Json:
    edges = [{"source": a["id"], "target": b["id"]} for a, b in pairwise(nodes)]
    return {"nodes": list(nodes), "edges": edges}


DOUBLE = row(
    node("start", "manual"),
    node("pause", "delay", seconds=0.05),
    node("out", "set", values={"n": "{{ trigger.n * 2 }}"}),
)


async def machine(house: House, name: str, definition: Json) -> str:
    body = {"name": name, "dialect": "asl", "definition": definition}
    answer = await house.http.post("/api/v1/workflows", json=body)
    assert answer.status_code == 201, answer.text
    identifier: str = answer.json()["id"]
    return identifier


async def test_a_workflow_waits_for_another_and_goes_on_with_its_output(house: House) -> None:
    await house.create(DOUBLE, "double")
    call = node("call", "sub_workflow", workflow="double", input={"n": "{{ trigger.n }}"})
    parent = await house.execute(row(node("start", "manual"), call), {"n": 21})
    assert (parent["status"], parent["output"]) == ("succeeded", {"n": 42})


async def test_one_that_need_not_be_waited_for_is_only_started(house: House) -> None:
    await house.create(DOUBLE, "double")
    call = node("call", "sub_workflow", workflow="double", input={"n": 1}, wait=False)
    parent = await house.execute(row(node("start", "manual"), call))
    child = await house.closed(parent["output"]["execution"])
    assert (child["status"], child["output"], child["trigger"]) == ("succeeded", {"n": 2}, "called")


async def test_the_failure_of_a_child_is_its_parents_to_handle(house: House) -> None:
    refused = node("fetch", "http_request", url="http://169.254.169.254/")
    await house.create(row(node("start", "manual"), refused), "bad")
    call = {**node("call", "sub_workflow", workflow="bad"), "on_error": "continue"}
    parent = await house.execute(row(node("start", "manual"), call))
    assert parent["output"]["error"]["code"] == "refused_address"
    assert "'bad' failed" in parent["output"]["error"]["message"]


async def test_a_name_that_nobody_or_more_than_one_has_is_an_error_that_says_so(house: House) -> None:
    for _ in range(2):
        await house.create(DOUBLE, "twin")
    for name, said in (("nobody", "nobody"), ("twin", "Several workflows")):
        parent = await house.execute(row(node("start", "manual"), node("call", "sub_workflow", workflow=name)))
        assert parent["error"]["code"] == "LinkFlow.UnknownWorkflow"
        assert said in parent["error"]["message"]


async def test_a_workflow_that_calls_itself_is_stopped(house: House) -> None:
    await house.create(row(node("start", "manual"), node("again", "sub_workflow", workflow="self")), "self")
    started = await house.start((await house.http.get("/api/v1/workflows")).json()["data"][0]["id"], wait=60)
    assert started["error"]["code"] == "LinkFlow.TooDeep"


async def test_what_a_child_gives_may_be_larger_than_a_message(house: House) -> None:
    large = node("out", "set", values={"text": "{{ $join([1..60000].$string()) }}"})
    await house.create(row(node("start", "manual"), large), "large")
    call = node("call", "sub_workflow", workflow="large")
    short = node("short", "set", values={"length": "{{ $length(input.text) }}"})
    parent = await house.execute(row(node("start", "manual"), call, short))
    assert parent["output"] == {"length": 288_894}


@pytest.mark.parametrize(("verb", "status"), [("cancel", "cancelled"), ("terminate", "terminated")])
async def test_when_the_parent_is_ended_so_is_the_child_it_waits_for(house: House, verb: str, status: str) -> None:
    child = await house.create(row(node("start", "manual"), node("long", "delay", seconds=3600)), "long")
    workflow = await house.create(row(node("start", "manual"), node("call", "sub_workflow", workflow="long")))
    parent = await house.start(workflow["id"])
    after, told = -1, ""
    while "TaskSubmitted" not in told:
        page = await house.events(parent["id"], after, 5)
        after, told = page["next_after"], str(page["data"])
    await house.http.post(f"/api/v1/executions/{parent['id']}/{verb}", json={"reason": "enough"})
    assert (await house.closed(parent["id"]))["status"] == status
    found = (await house.http.get("/api/v1/executions", params={"workflow": child["id"]})).json()["data"]
    assert (await house.closed(found[0]["id"]))["status"] == "cancelled"


@pytest.mark.parametrize(("policy", "status"), [("cancel", "cancelled"), ("terminate", "terminated")])
async def test_a_child_that_begins_when_nobody_waits_any_more_ends_itself(
    house: House, policy: str, status: str
) -> None:
    """A process that was frozen begins it: its parent has ended, and had no child to end with it."""
    await house.create(row(node("start", "manual"), node("long", "delay", seconds=3600)), "long")
    parent = await house.execute(row(node("start", "manual")))
    owner, engine = await Accounts(house.world.table).owner(), house.world.engine
    assert owner is not None
    task = RunTask(1, 1, 1, "call", "linkflow:sub_workflow", {}, "key", pattern="sync")
    call = Call(owner.workspace, parent["id"], task)
    child = await begin(engine, call, "long", {}, form="output", title=None, on_close=policy)
    assert (await house.closed(child, 0.1))["status"] == status


async def test_a_state_machine_starts_executions_as_on_step_functions(house: House, outside: Outside) -> None:
    await machine(
        house, "inner", {"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": {"a": [1]}, "End": True}}}
    )
    outer = {
        "QueryLanguage": "JSONata",
        "StartAt": "Start",
        "States": {
            "Start": {
                "Type": "Task",
                "Resource": "arn:aws:states:::states:startExecution.sync:2",
                "Arguments": {"StateMachineArn": "arn:aws:states:us-east-1:1:stateMachine:inner", "Input": {"x": 1}},
                "Output": "{% $states.result %}",
                "End": True,
            }
        },
    }
    done = await house.start(await machine(house, "outer", outer), {}, wait=30)
    assert done["status"] == "succeeded", done
    assert (done["output"]["Output"], done["output"]["Input"]) == ({"a": [1]}, {"x": 1})
    assert done["output"]["Status"] == "SUCCEEDED"
    told = (await house.http.get(f"/api/v1/executions/{done['id']}/history")).json()["data"]
    assert "TaskSubmitted" in [event["type"] for event in told]


async def test_a_failed_inner_execution_fails_the_task_with_its_description(house: House) -> None:
    await machine(house, "inner", {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E", "Cause": "because"}}})
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync",
        "Parameters": {"StateMachineArn": "inner"},
        "End": True,
    }
    done = await house.start(await machine(house, "outer", {"StartAt": "T", "States": {"T": task}}), {}, wait=30)
    assert done["error"]["code"] == "States.TaskFailed"
    assert '"Status":"FAILED"' in done["error"]["message"]
    assert node_of(await house.execution(done["id"]), "T")["status"] == "failed"


async def started_child(house: House, child: str, parent: str) -> str:
    """The child that the parent's task began, as soon as it is submitted."""
    after, told = -1, ""
    while "TaskSubmitted" not in told:
        page = await house.events(parent, after, 5)
        after, told = page["next_after"], str(page["data"])
    found = (await house.http.get("/api/v1/executions", params={"workflow": child})).json()["data"]
    identifier: str = found[0]["id"]
    return identifier


async def test_what_becomes_of_a_child_when_its_parent_ends_first_is_the_parents_choice(house: House) -> None:
    child = await house.create(row(node("start", "manual"), node("go", "wait_for_signal", name="go")), "long")
    for policy, expected in (("terminate", "terminated"), ("detach", "running")):
        call = node("call", "sub_workflow", workflow="long", on_parent_close=policy)
        parent = await house.start((await house.create(row(node("start", "manual"), call)))["id"])
        inner = await started_child(house, child["id"], parent["id"])
        await house.http.post(f"/api/v1/executions/{parent['id']}/cancel", json={})
        assert (await house.closed(parent["id"]))["status"] == "cancelled"
        if expected == "running":
            answer = await house.http.post(f"/api/v1/executions/{inner}/signal", json={"name": "go", "payload": 1})
            assert answer.status_code == 202
            assert (await house.closed(inner))["output"] == 1
        else:
            assert (await house.closed(inner))["status"] == expected


async def test_a_workflow_says_who_may_call_it(house: House) -> None:
    for callers, served in (("none", False), (["friend"], True), (["stranger"], False), ("any", True)):
        name = f"served {callers}"
        await house.create({**DOUBLE, "settings": {"callers": callers}}, name)
        call = node("call", "sub_workflow", workflow=name, input={"n": 1})
        workflow = await house.create(row(node("start", "manual"), call), "friend")
        done = await house.start(workflow["id"], wait=30)
        assert (done["status"] == "succeeded") == served, done
        assert served or done["error"]["code"] == "LinkFlow.CallerRefused"


async def test_a_child_that_is_not_waited_for_cannot_be_told_to_end_with_its_parent(house: House) -> None:
    call = node("call", "sub_workflow", workflow="x", wait=False, on_parent_close="cancel")
    answer = await house.http.post("/api/v1/workflows", json={"name": "x", "definition": row(call)})
    assert answer.status_code == 422


async def test_callers_that_are_none_are_refused_where_they_stand(house: House) -> None:
    for callers in ("some", 7, [1], {"any": True}):
        body = {"name": "x", "definition": {**DOUBLE, "settings": {"callers": callers}}}
        answer = await house.http.post("/api/v1/workflows", json=body)
        (fault,) = answer.json()["error"]["details"]
        assert (answer.status_code, fault["path"]) == (422, "$.definition.settings.callers")
