"""The platform's own machines: valid for Step Functions, every task a verb, and the same way through them on moto's
interpreter as on ours, with answers in the tasks' stead.

Lambda, which would carry a task out on AWS, does not run on moto. So each Task is replaced, always in the same way, by
states that take the next answer from the input: it is written where the task's result would be, or, if it is an error,
leads where the task's Catch leads.
"""

import json
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from functions.services import declare
from linkflow.engine.platform.verbs import PLATFORM
from linkflow.execution.history import history
from linkflow.language.asl_check import check_asl_text
from linkflow.runtime.hosts.rehearsal import Piece, rehearse
from linkflow.runtime.machines import shipped
from tests.architecture.sources import ROOT

MACHINES = sorted(path.name.removesuffix(".asl.json") for path in (ROOT / "state_machines").glob("*.asl.json"))
MORE, LAST, BROKEN = {"more": True}, {"more": False}, {"Error": "States.Timeout"}
SCRIPTS: dict[str, list[list[Any]]] = {
    "callback_delivery": [[{}], [BROKEN, {}]],
    "bulk_operation": [[LAST], [MORE, MORE, LAST], [MORE, BROKEN, {}]],
    "dead_letter_redrive": [[MORE, LAST], [BROKEN, {}]],
    "retention": [[LAST, LAST], [MORE, MORE, LAST, MORE, LAST]],
    "workspace_deletion": [[{}, MORE, LAST, MORE, MORE, LAST, {}]],
}
CASES = [(name, number) for name in SCRIPTS for number in range(len(SCRIPTS[name]))]


def tasks_of(machine: dict[str, Any]) -> dict[str, Any]:
    return {name: state for name, state in machine["States"].items() if state["Type"] == "Task"}


def answered(machine: dict[str, Any]) -> dict[str, Any]:
    """The machine with answers in its tasks' stead, and without its waits' length."""
    states: dict[str, Any] = {}
    for name, state in machine["States"].items():
        if state["Type"] == "Wait":
            states[name] = {**state, "Seconds": 0}
        elif state["Type"] == "Task":
            states |= _answered(name, state)
        else:
            states[name] = state
    return {**machine, "States": states}


def _answered(name: str, task: dict[str, Any]) -> dict[str, Any]:
    on = {"Next": task["Next"]} if "Next" in task else {"End": True}
    found = {
        name: {"Type": "Pass", "InputPath": "$.answers[0]", "ResultPath": "$.answer", "Next": f"{name}Rest"},
        f"{name}Rest": {
            "Type": "Pass",
            "InputPath": "$.answers[1:]",
            "ResultPath": "$.answers",
            "Next": f"{name}Did",
        },
        f"{name}Kept": {"Type": "Pass", "InputPath": "$.answer", "ResultPath": task.get("ResultPath", "$"), **on},
    }
    broken = {"Variable": "$.answer.Error", "IsPresent": True}
    caught = task["Catch"][0]["Next"] if "Catch" in task else f"{name}Kept"
    choice = {"Type": "Choice", "Choices": [{**broken, "Next": caught}], "Default": f"{name}Kept"}
    return {**found, f"{name}Did": choice}


def ours(machine: dict[str, Any], given: Any) -> tuple[str, list[str]]:
    done = rehearse(declare, Piece("asl", machine, given))
    events = history(done.program, [(turn.at, turn.events) for turn in done.turns])
    return done.state.status.upper(), [str(one.details["name"]) for one in events if one.type.endswith("StateEntered")]


def theirs(machine: dict[str, Any], given: Any) -> tuple[str, list[str]]:
    client = boto3.client("stepfunctions", region_name="us-east-1")
    role = "arn:aws:iam::123456789012:role/any"
    made = client.create_state_machine(name="machine", definition=json.dumps(machine), roleArn=role)
    begun = client.start_execution(stateMachineArn=made["stateMachineArn"], input=json.dumps(given))["executionArn"]
    status = "RUNNING"
    for _ in range(1_000):
        status = client.describe_execution(executionArn=begun)["status"]
        if status != "RUNNING":
            break
        time.sleep(0.01)  # (moto's interpreter is a thread with a clock of its own)
    events = client.get_execution_history(executionArn=begun, maxResults=1_000)["events"]
    return status, [one["stateEnteredEventDetails"]["name"] for one in events if "stateEnteredEventDetails" in one]


def test_every_machine_has_a_script() -> None:
    assert set(SCRIPTS) == set(MACHINES)


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_is_valid_and_its_tasks_are_verbs_that_are_retried(name: str) -> None:
    text = Path(ROOT / "state_machines" / f"{name}.asl.json").read_text()
    assert [problem for problem in check_asl_text(text) if problem.severity == "ERROR"] == []
    machine: Any = shipped(name)
    assert machine["Comment"]
    for state in tasks_of(machine).values():
        assert state["Resource"] in PLATFORM
        assert state["TimeoutSeconds"] <= 300
        assert any("States.ALL" in retrier["ErrorEquals"] for retrier in state["Retry"])


def test_every_verb_has_a_task() -> None:
    used = {state["Resource"] for name in MACHINES for state in tasks_of(shipped(name)).values()}
    assert used == set(PLATFORM)


@pytest.mark.parametrize("name", MACHINES)
def test_aws_takes_a_machine_whose_tasks_are_functions(name: str) -> None:
    function = "arn:aws:lambda:us-east-1:123456789012:function:linkflow-"
    text = json.dumps(shipped(name)).replace('"linkflow:platform.', f'"{function}')
    assert [problem for problem in check_asl_text(text) if problem.severity == "ERROR"] == []
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        client = boto3.client("stepfunctions", region_name="us-east-1")
        role = "arn:aws:iam::123456789012:role/any"
        made = client.create_state_machine(name="machine", definition=text, roleArn=role)
        assert client.describe_state_machine(stateMachineArn=made["stateMachineArn"])["status"] == "ACTIVE"
        wrong = text.replace('"ErrorEquals"', '"ErrorEqual"')
        with pytest.raises(ClientError, match="ErrorEqual"):
            client.create_state_machine(name="wrong", definition=wrong, roleArn=role)


@pytest.mark.parametrize(("name", "number"), CASES)
def test_the_way_through_a_machine_is_the_same_on_step_functions_interpreter(
    name: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    machine, given = answered(shipped(name)), {"answers": SCRIPTS[name][number]}
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        there = theirs(machine, given)
    here = ours(machine, given)
    assert here == there
    assert here[0] in ("SUCCEEDED", "FAILED")
    assert len(here[1]) > len(SCRIPTS[name][number])
