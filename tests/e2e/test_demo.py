"""The demonstration as people start it: what it shows, how it ends, and that nothing of it stays."""

import re
import signal
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.e2e.programs import LINKFLOW, environment, linkflow


def test_it_shows_both_orders_the_retries_the_pauses_and_what_was_skipped(tmp_path: Path) -> None:
    shown = linkflow("demo", TMPDIR=str(tmp_path))
    assert (shown.returncode, shown.stderr) == (0, "")
    assert 'answer: {"order": "1002", "customer": null' in shown.stdout
    assert 'answer: {"order": "1001", "customer": "Ada", "available": 17' in shown.stdout
    assert "#1   http_status: The server answered 503." in shown.stdout
    assert re.search(r"#2   after a pause of 0\.\d\d s: http_status", shown.stdout)
    assert re.search(r"#3   after a pause of 0\.\d\d s: succeeded", shown.stdout)
    assert re.search(r"– small +no live path led here", shown.stdout)
    assert re.search(r"✔ cool_down +\d\.\d\d s +1\.\d\d s +░+", shown.stdout)
    assert "called 6 times: /orders/1002, /orders/1001, " in shown.stdout
    assert " workflows apply hello.json" in shown.stdout
    assert list(tmp_path.iterdir()) == []
    assert gone(shown.stdout)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demonstration_that_is_stopped_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    variables = environment(TMPDIR=str(tmp_path), PYTHONUNBUFFERED="1")
    with subprocess.Popen([*LINKFLOW, "demo"], env=variables, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 (our own program)
        assert process.stdout
        said = ""
        while "Order 1001" not in said:  # the long one: it takes two seconds
            line = process.stdout.readline()
            assert line, said
            said += line
        assert not gone(said)
        process.send_signal(number)
        rest = process.stdout.read()
        assert process.wait(timeout=20) == 130
    assert "Traceback" not in rest
    assert list(tmp_path.iterdir()) == []
    assert gone(said)


def gone(said: str) -> bool:
    """Nobody listens any more where the server and the shop said they were."""
    return not any(answers(address) for address in re.findall(r"is at (http://[\d.]+:\d+)", said))


def answers(address: str) -> bool:
    try:
        httpx.get(address, trust_env=False)
    except httpx.TransportError:
        return False
    return True
