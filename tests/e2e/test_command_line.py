"""The command line against a real server: what it does, what it says, and exit codes that scripts can trust."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.e2e.programs import linkflow, server
from tests.unit.graphs import graph, node

HELLO = graph(
    [node("start", "manual"), node("greet", "set", {"values": {"text": "Hello, {{ trigger.name }}!"}})],
    "start -> greet",
)
FAILING = graph([node("a", "set", {"values": {"x": "{{ $error('no') }}"}})])
WAITING = graph([node("start", "manual"), node("nap", "delay", {"seconds": 3600})], "start -> nap")
CALLED = graph([node("hook", "webhook"), node("a")], "hook -> a")


@dataclass(frozen=True)
class Desk:
    """Where somebody types commands: files at hand, the server's address and key in the environment."""

    files: Path
    url: str
    key: str

    def type(self, *arguments: str, **variables: str) -> CompletedProcess[str]:
        return linkflow(*arguments, **{"LINKFLOW_URL": self.url, "LINKFLOW_KEY": self.key, **variables})

    def read(self, *arguments: str) -> Any:
        done = self.type(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def file(self, name: str, content: object) -> str:
        path = self.files / f"{name}.json"
        path.write_text(json.dumps(content))
        return str(path)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    files = tmp_path_factory.mktemp("desk")
    with server(files / "data") as (url, key, _):
        yield Desk(files, url, key)


def test_a_workflow_is_applied_run_listed_and_shown(desk: Desk) -> None:
    applied = desk.type("workflows", "apply", desk.file("hello", HELLO))
    assert applied.returncode == 0, applied.stderr
    identifier = applied.stdout.split()[0]
    assert identifier in desk.type("workflows", "list").stdout
    assert json.loads(desk.type("workflows", "get", "hello").stdout)["definition"] == HELLO
    ran = desk.read("run", "hello", "--input", '{"name": "you"}')
    assert (ran["workflow"], ran["status"], ran["output"]) == (identifier, "succeeded", {"text": "Hello, you!"})
    assert ran["id"] in desk.type("executions", "list", "--workflow", "hello").stdout
    shown = desk.type("executions", "show", ran["id"]).stdout
    assert "✔ greet" in shown
    assert 'output: {"text":"Hello, you!"}' in shown


def test_an_input_may_be_a_file(desk: Desk) -> None:
    workflow = desk.type("workflows", "apply", desk.file("hello", HELLO), "--name", "from a file").stdout.split()[0]
    ran = desk.read("run", workflow, "--input", "@" + desk.file("given", {"name": "file"}))
    assert ran["output"] == {"text": "Hello, file!"}


def test_applying_tells_the_webhook(desk: Desk) -> None:
    assert f"POST {desk.url}/hooks/" in desk.type("workflows", "apply", desk.file("called", CALLED)).stdout


def test_what_still_runs_after_the_wait_is_shown_and_can_be_cancelled(desk: Desk) -> None:
    desk.type("workflows", "apply", desk.file("waiting", WAITING))
    shown = desk.type("run", "waiting", "--wait", "0.2")
    assert shown.returncode == 0
    assert "… nap" in shown.stdout
    assert "wait until " in shown.stdout
    (one,) = desk.read("executions", "list", "--workflow", "waiting")
    assert desk.type("executions", "cancel", one["id"], "--reason", "enough").returncode == 0
    assert one["id"] not in desk.type("executions", "list", "--status", "running").stdout
    found = desk.read("executions", "list", "--status", "cancelled", "--status", "failed", "--text", one["id"])
    assert [other["id"] for other in found] == [one["id"]]
    assert desk.read("executions", "list", "--workflow", "waiting", "--count") == {"cancelled": 1}


def test_an_execution_can_be_held_let_go_reset_and_ended(desk: Desk) -> None:
    desk.type("workflows", "apply", desk.file("held", WAITING))
    desk.type("run", "held", "--wait", "0.2")
    (one,) = desk.read("executions", "list", "--workflow", "held")
    assert desk.type("executions", "pause", one["id"], "--reason", "lunch").returncode == 0
    assert desk.type("executions", "resume", one["id"]).returncode == 0
    new = desk.type("executions", "reset", one["id"], "--node", "nap").stdout.strip()
    assert new.startswith("ex_")
    assert "terminated" in desk.type("executions", "show", one["id"]).stdout
    assert desk.type("executions", "terminate", new).returncode == 0
    assert desk.type("executions", "reset", new).returncode == 2


def test_an_execution_that_fails_is_1_and_its_error_is_told(desk: Desk) -> None:
    desk.type("workflows", "apply", desk.file("failing", FAILING))
    failed = desk.type("run", "failing")
    assert failed.returncode == 1
    assert "✘ failed" in failed.stdout
    assert "error: " in failed.stdout
    assert desk.type("run", "failing", "--json").returncode == 1


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["run", "wf_x", "--input", "{"], "--input"),
        (["run", "wf_x", "--input", "@/nowhere.json"], "No such file"),
        (["workflows", "apply", "/nowhere.json"], "No such file"),
        (["run"], "Missing argument"),
        (["workflows", "list", "--url", "localhost:8000"], "begins with http"),
        (["workflows", "list", "--key", "schlüssel"], "letters"),
        (["teleport"], "No such command"),
    ],
)
def test_what_is_not_understood_is_2(desk: Desk, command: list[str], said: str) -> None:
    done = desk.type(*command)
    assert done.returncode == 2
    assert said in done.stderr


def test_every_fault_of_a_definition_is_told_and_the_code_is_3(desk: Desk) -> None:
    refused = desk.type("workflows", "apply", desk.file("bad", graph([node("a", "teleport"), node("b", "delay")])))
    assert (refused.returncode, refused.stdout) == (3, "")
    assert "$.definition.nodes[0].type: There is no node type 'teleport'" in refused.stderr
    assert "$.definition.nodes[1]" in refused.stderr


def test_refusals_are_sentences_and_3(desk: Desk) -> None:
    for command in (["executions", "show", "ex_none"], ["run", "nobody"], ["executions", "list", "--status", "odd"]):
        done = desk.type(*command)
        assert (done.returncode, done.stdout) == (3, ""), command
        assert done.stderr.strip()
        assert "Traceback" not in done.stderr
    for key in ("lf_wrong", ""):
        assert "No valid API key" in desk.type("workflows", "list", LINKFLOW_KEY=key).stderr


def test_two_workflows_of_one_name_are_told_apart_by_their_ids(desk: Desk) -> None:
    for _ in range(2):
        desk.type("workflows", "apply", desk.file("hello", HELLO), "--name", "twin")
    ran = desk.type("run", "twin")
    assert ran.returncode == 3
    assert ran.stderr.count("wf_") == 2


def test_a_server_that_is_not_there_is_3_and_one_is_told_what_to_do(desk: Desk) -> None:
    done = desk.type("workflows", "list", "--url", "http://127.0.0.1:9")
    assert done.returncode == 3
    assert "Cannot reach http://127.0.0.1:9" in done.stderr
    assert "linkflow up" in done.stderr


def test_up_hands_its_options_to_the_server() -> None:
    helped = linkflow("up", "--help")
    assert helped.returncode == 0
    assert "--allow" in helped.stdout
    assert linkflow("up", "--port", "many").returncode == 2


WRONG = {
    "StartAt": "A",
    "States": {
        "A": {"Type": "Wait", "Seconds": "soon", "Next": "B"},
        "C": {"Type": "Choice", "Choices": [{"Next": "D"}]},
    },
}
FINE = {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}


def test_every_problem_of_a_state_machine_is_told_without_a_server(tmp_path: Path) -> None:
    file = tmp_path / "machine.json"
    file.write_text(json.dumps(WRONG))
    told = linkflow("asl", "check", str(file))
    assert told.returncode == 2
    listed = linkflow("asl", "check", str(file), "--json")
    problems = json.loads(listed.stdout)
    assert listed.returncode == 2
    assert {"$.States.A.Seconds", "$.States.A.Next", "$.States.C.Choices[0].Next"} <= {one["path"] for one in problems}
    for one in problems:
        assert set(one) == {"path", "code", "severity", "message"}
        assert one["path"] in told.stdout
        assert one["code"] in told.stdout


def test_a_state_machine_that_is_fine_is_0() -> None:
    told = linkflow("asl", "check", "-", typed=json.dumps(FINE))
    assert (told.returncode, told.stdout) == (0, "No problems.\n")
    assert json.loads(linkflow("asl", "check", "-", "--json", typed="\ufeff" + json.dumps(FINE)).stdout) == []


def test_a_warning_alone_is_told_and_is_0() -> None:
    """As AWS has it: a machine with warnings can be created."""
    machine = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": {"x.$": "$.y"}, "End": True}}}
    told = linkflow("asl", "check", "-", typed=json.dumps(machine))
    assert told.returncode == 0
    assert "WARNING" in told.stdout


@pytest.mark.parametrize("typed", ["", "States: {}", "[" * 100_000, "[]"])
def test_what_is_no_state_machine_at_all_is_2_and_a_sentence(typed: str) -> None:
    told = linkflow("asl", "check", "-", typed=typed)
    assert told.returncode == 2
    assert "ERROR" in told.stdout
    assert "Traceback" not in told.stderr


def test_a_file_that_cannot_be_read_is_2(tmp_path: Path) -> None:
    latin = tmp_path / "latin.json"
    latin.write_bytes(b'"\xe9"')
    for file, said in ((str(tmp_path / "none"), "No such file"), (str(latin), "decode")):
        done = linkflow("asl", "check", file)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr


DAY_LONG = {
    "QueryLanguage": "JSONata",
    "StartAt": "Wait",
    "States": {
        "Wait": {"Type": "Wait", "Seconds": 86_400, "Next": "Out"},
        "Out": {"Type": "Pass", "Output": "{% $states.input.n * 2 %}", "End": True},
    },
}


def test_a_state_machine_runs_without_a_server_and_a_day_takes_no_time(tmp_path: Path) -> None:
    given = tmp_path / "input.json"
    given.write_text('{"n": 21}')
    told = linkflow("asl", "run", "-", "--input", str(given), typed=json.dumps(DAY_LONG))
    assert told.returncode == 0, told.stderr
    assert "output: 42" in told.stdout
    assert "86400.000 s  WaitStateExited" in told.stdout


def test_a_state_machine_that_fails_is_1_and_one_that_is_wrong_is_2() -> None:
    failing = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E", "Cause": "because"}}}
    told = linkflow("asl", "run", "-", "--json", typed=json.dumps(failing))
    assert (told.returncode, json.loads(told.stdout)["failure"]) == (1, {"error": "E", "cause": "because"})
    refused = linkflow("asl", "run", "-", typed=json.dumps(WRONG))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "$.States.A.Next" in refused.stderr
