"""A server that is started, stopped and started again."""

import json
import signal
import socket
from pathlib import Path

import pytest

from tests.e2e.programs import linkflow, server
from tests.unit.graphs import graph, node

HELLO = graph(
    [node("start", "manual"), node("greet", "set", {"values": {"text": "Hello, {{ trigger.name }}!"}})],
    "start -> greet",
)


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


def test_a_port_that_is_taken_is_told_in_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = linkflow("up", "--port", str(port), "--data", str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert f"port {port}" in done.stderr
    assert "--port 0 for any" in done.stderr
    assert not list(tmp_path.iterdir()), "nothing was begun"
