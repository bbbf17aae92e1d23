"""An execution on a page: each node with its time, its attempts, what went in and what came out."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

Json = Any
_WIDTH = 24
_SHOWN = 100
_MARKS = {
    "succeeded": ("✔", "green"),
    "failed": ("✘", "red"),
    "skipped": ("–", "dim"),
    "running": ("…", "yellow"),
    "aborted": ("✘", "yellow"),
}


def timeline(execution: Json) -> RenderableType:
    """`execution` as the API's execution detail gives it."""
    begin, end = _span(execution)
    mark, style = _MARKS.get(execution["status"], _MARKS["running"])
    head = Text.assemble((f"{mark} {execution['status']}", style), f"  {execution['id']}  {end - begin:.2f} s")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("", "node", "begins", "takes", "", "what happened"):
        table.add_column(title, no_wrap=title in ("node", "begins", "takes"))
    for node in execution["nodes"]:
        table.add_row(*_row(node, begin, end))
    return Group(head, table)


def _row(node: Json, begin: float, end: float) -> Iterator[RenderableType]:
    mark, style = _MARKS[node["status"]]
    name = f"{node['path']}/{node['node']}" if node["path"] else node["node"]
    yield Text(mark, style)
    yield Text(name, "dim" if node["status"] == "skipped" else "bold")
    if node["status"] == "skipped":
        yield from (Text(""), Text(""), Text(""), Text("no live path led here", "dim"))
        return
    entered = _seconds(node["entered_at"])
    left = _seconds(node["exited_at"]) if node["exited_at"] else end
    yield Text(f"{entered - begin:.2f} s")
    yield Text(f"{left - entered:.2f} s")
    yield Text(_bar(entered, left, begin, end), style)
    yield Text("\n").join(_story(node))


def _story(node: Json) -> Iterator[Text]:
    attempts = node["attempts"]
    for attempt in attempts if len(attempts) > 1 else ():
        error = attempt["error"]
        told = f"{error['code']}: {error['message']}" if error else "succeeded" if attempt["finished_at"] else "running"
        yield Text(f"attempt {attempt['attempt']}: {told}", "red" if error else "green")
    yield Text(f"in  {_short(node['input'])}", "dim")
    if node["error"]:
        yield Text(f"{node['error']['code']}: {node['error']['message']}", "red")
    elif node["waits_until"]:
        yield Text(f"waits until {node['waits_until']}", "yellow")
    else:
        leaves = f" (leaves by {node['exit']})" if node["exit"] not in (None, "default") else ""
        yield Text(f"out {_short(node['output'])}{leaves}")


def _bar(entered: float, left: float, begin: float, end: float) -> str:
    whole = max(end - begin, 0.001)
    start = min(_WIDTH - 1, int((entered - begin) / whole * _WIDTH))
    length = max(1, round((left - entered) / whole * _WIDTH))
    return (" " * start + "█" * min(length, _WIDTH - start)).ljust(_WIDTH)


def _span(execution: Json) -> tuple[float, float]:
    begin = _seconds(execution["started_at"])
    told = [execution["closed_at"], *(node["exited_at"] or node["entered_at"] for node in execution["nodes"])]
    return begin, max((_seconds(moment) for moment in told if moment), default=begin)


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _short(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
