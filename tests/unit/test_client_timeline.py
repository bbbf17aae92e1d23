"""An execution on a page, from what the API answers: nothing is hidden, and values give way before structure does."""

import io

import pytest
from msgspec.json import decode
from rich.console import Console

from linkflow.client.records import Execution
from linkflow.client.timeline import brief, timeline

AT = "2026-01-01T00:00:0{}Z"


def shown(*nodes: str, status: str = "succeeded", closed: str = "4") -> str:
    head = f'"id": "ex_1", "workflow": "wf_1", "version": 1, "status": "{status}", "trigger": "manual"'
    moments = f'"started_at": "{AT.format(0)}", "closed_at": "{AT.format(closed)}"'
    execution = decode(f'{{{head}, {moments}, "nodes": [{", ".join(nodes)}]}}', type=Execution)
    console = Console(file=io.StringIO(), width=100)
    console.print(timeline(execution, 100))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def entry(name: str, start: int, stop: int | None, more: str = "", status: str = "succeeded") -> str:
    left = f'"exited_at": "{AT.format(stop)}", ' if stop is not None else ""
    return f'{{"node": "{name}", "status": "{status}", "entered_at": "{AT.format(start)}", {left}"path": ""{more}}}'


def test_pauses_between_attempts_are_told_and_drawn() -> None:
    failed = (
        f'{{"attempt": 1, "started_at": "{AT.format(0)}", "finished_at": "{AT.format(1)}", "error": {{"code": "e"}}}}'
    )
    good = f'{{"attempt": 2, "started_at": "{AT.format(3)}", "finished_at": "{AT.format(4)}"}}'
    page = shown(entry("call", 0, 4, f', "attempts": [{failed}, {good}]'))
    assert "#1   e" in page
    assert "#2   after a pause of 2.00 s: succeeded" in page
    assert "█░" in page
    assert "░█" in page


def test_every_entry_has_its_line_whatever_its_status() -> None:
    page = shown(
        entry("over", 0, 1, ', "output": 7, "exit": "true"'),
        entry("broken", 1, 2, ', "error": {"code": "c", "message": "m"}', "failed"),
        entry("never", 2, 2, status="skipped"),
        entry("odd", 2, 3, status="something newer"),
        entry("asleep", 3, None, f', "waits_until": "{AT.format(9)}"', "running"),
    )
    for line in ("✔ over", "7  (leaves by true)", "✘ broken", "c: m", "– never", "? odd", "… asleep", "00:00:09 UTC"):
        assert line in page


@pytest.mark.parametrize("room", [8, 20, 40, 60, 200])
def test_a_brief_value_keeps_to_its_room(room: int) -> None:
    value = {"status": 200, "headers": {"a": "b"}, "body": {"items": [{"id": 1}, {"id": 2}], "text": "x" * 50}}
    assert len(brief(value, room)) <= room


def test_what_lies_deepest_is_folded_first_and_headers_always() -> None:
    value = {"status": 200, "headers": {"a": "b"}, "body": {"id": 1}}
    assert brief(value, 100) == "{status: 200, headers: {…}, body: {id: 1}}"
    assert brief(value, 40) == "{status: 200, headers: {…}, body: {…}}"
