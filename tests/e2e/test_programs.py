"""The doors people use: the demonstration, the command line, a server that is started, stopped and started again."""

import json
import signal
from pathlib import Path

import pytest

from tests.e2e.programs import linkflow, server
from tests.unit.graphs import graph, node

HELLO = graph(
    [node("start", "manual"), node("greet", "set", {"values": {"text": "Hello, {{ trigger.name }}!"}})],
    "start -> greet",
)


def test_the_demonstration_shows_retries_a_skipped_branch_and_the_answer() -> None:
    shown = linkflow("demo")
    assert shown.returncode == 0, shown.stderr
    assert shown.stderr == ""
    for what in ("attempt 2: http_status", "attempt 3: succeeded", "no live path led here", "Order 1001 over 240"):
        assert what in shown.stdout


def test_a_workflow_is_applied_run_listed_and_shown_from_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "hello.json"
    file.write_text(json.dumps(HELLO))
    with server(tmp_path / "data") as (url, key, _):
        at = {"LINKFLOW_URL": url, "LINKFLOW_KEY": key}
        applied = linkflow("workflows", "apply", str(file), **at)
        workflow = json.loads(applied.stdout)["id"]
        assert workflow in linkflow("workflows", "list", **at).stdout
        assert json.loads(linkflow("workflows", "get", workflow, **at).stdout)["definition"] == HELLO
        ran = linkflow("run", workflow, "--input", '{"name": "you"}', "--json", **at)
        assert (ran.returncode, json.loads(ran.stdout)["output"]) == (0, {"text": "Hello, you!"})
        identifier = json.loads(ran.stdout)["id"]
        assert identifier in linkflow("executions", "list", **at).stdout
        assert "greet" in linkflow("executions", "show", identifier, **at).stdout


def test_refusals_are_told_in_sentences_with_exit_codes_that_scripts_can_trust(tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps(graph([node("a", "teleport")])))
    failing = tmp_path / "failing.json"
    failing.write_text(json.dumps(graph([node("a", "set", {"values": {"x": "{{ $error('no') }}"}})])))
    with server(tmp_path / "data") as (url, key, _):
        at = {"LINKFLOW_URL": url, "LINKFLOW_KEY": key}
        refused = linkflow("workflows", "apply", str(bad), **at)
        assert refused.returncode == 3
        assert "$.definition.nodes[0].type: There is no node type 'teleport'" in refused.stderr
        assert linkflow("executions", "show", "ex_none", **at).returncode == 3
        assert linkflow("executions", "list", LINKFLOW_URL=url, LINKFLOW_KEY="lf_wrong").returncode == 3
        assert linkflow("workflows", "apply", str(tmp_path / "none.json"), **at).returncode == 2
        assert linkflow("run", "wf_x", "--input", "{", **at).returncode == 2
        workflow = json.loads(linkflow("workflows", "apply", str(failing), **at).stdout)["id"]
        assert linkflow("run", workflow, **at).returncode == 1
    gone = linkflow("executions", "list", LINKFLOW_URL=url, LINKFLOW_KEY=key)
    assert gone.returncode == 3
    assert "Is the server running" in gone.stderr
    assert "Traceback" not in gone.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_what_was_made_is_there_after_any_end(tmp_path: Path, number: signal.Signals) -> None:
    with server(tmp_path) as (url, key, process):
        file = tmp_path / "hello.json"
        file.write_text(json.dumps(HELLO))
        linkflow("workflows", "apply", str(file), LINKFLOW_URL=url, LINKFLOW_KEY=key)
        process.send_signal(number)
        assert process.wait(timeout=20) == (0 if number != signal.SIGKILL else -signal.SIGKILL)
    with server(tmp_path) as (url, no_key, _):
        assert "--new-key" in no_key
        assert "hello" in linkflow("workflows", "list", LINKFLOW_URL=url, LINKFLOW_KEY=key).stdout
