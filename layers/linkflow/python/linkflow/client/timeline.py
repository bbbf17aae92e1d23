"""An execution on a page: each node with its time, its attempts and pauses, what went in and what came out."""

import json
from collections.abc import Iterator
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from linkflow.client.records import Attempt, Execution, Json, Node

_BAR = 30
_DEPTHS = (6, 3, 2, 1)
_MARKS = {
    "succeeded": ("✔", "green"),
    "failed": ("✘", "red"),
    "timed_out": ("✘", "red"),
    "skipped": ("–", "dim"),
    "running": ("…", "yellow"),
    "aborted": ("✘", "yellow"),
    "cancelled": ("✘", "yellow"),
    "terminated": ("✘", "yellow"),
    "continued": ("→", "blue"),
}
_UNKNOWN = ("?", "yellow")


def timeline(execution: Execution, width: int = 100) -> RenderableType:
    """As wide as `width` characters; longer values are abbreviated from the inside."""
    begin, end = _span(execution)
    room = max(12, *(len(_name(node)) for node in execution.nodes)) if execution.nodes else 12
    mark, style = _MARKS.get(execution.status, _UNKNOWN)
    head = Text.assemble((f"{mark} {execution.status}", style), f" in {end - begin:.2f} s  ", (execution.id, "dim"))
    legend = Text(f"  {'node':{room}}  {'begins':>8} {'takes':>8}  {'█ at work  ░ waiting':{_BAR}}", "dim")
    lines = [line for node in execution.nodes for line in _lines(node, begin, end, room, width)]
    for line in lines:
        line.no_wrap, line.overflow = True, "ellipsis"
    return Group(head, legend, *lines)


def brief(value: Json, room: int) -> str:
    """`value` in one line of about `room` characters: what lies deepest is folded first, headers always."""
    told = ""
    for depth in _DEPTHS:
        told = _told(value, depth)
        if len(told) <= room:
            return told
    return told[: room - 1] + "…"


def _told(value: Json, depth: int) -> str:
    match value:
        case dict() if value:
            inner = {name: _told(one, 0 if name == "headers" else depth - 1) for name, one in value.items()}
            return "{" + ", ".join(f"{name}: {one}" for name, one in inner.items()) + "}" if depth > 0 else "{…}"
        case list() if value:
            return "[" + ", ".join(_told(one, depth - 1) for one in value) + "]" if depth > 0 else "[…]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def _lines(node: Node, begin: float, end: float, room: int, width: int) -> Iterator[Text]:
    mark, style = _MARKS.get(node.status, _UNKNOWN)
    if node.status == "skipped":
        yield Text(f"{mark} {_name(node):{room}}  no live path led here", "dim")
        return
    entered, left = _offset(node.entered_at, begin), _offset(node.exited_at, begin, end)
    yield Text.assemble(
        (f"{mark} ", style),
        (f"{_name(node):{room}}", "bold"),
        f"  {entered:6.2f} s {left - entered:6.2f} s  ",
        (_bar(node, begin, end), style),
    )
    for label, told, tone in _story(node, width - 10):
        yield Text.assemble((f"    {label:4} ", "dim"), (told, tone))


def _story(node: Node, room: int) -> Iterator[tuple[str, str, str]]:
    yield "in", brief(node.input, room), "dim"
    if len(node.attempts) > 1 or any(attempt.error for attempt in node.attempts):
        yield from _attempts(node.attempts)
    if node.error:
        yield "err", str(node.error), "red"
    elif node.exited_at is not None:
        leaves = f"  (leaves by {node.exit})" if node.exit not in (None, "default") else ""
        yield "out", brief(node.output, room - len(leaves)) + leaves, ""
    elif node.waits_until:
        yield "wait", f"until {node.waits_until:%Y-%m-%d %H:%M:%S} UTC", "yellow"


def _attempts(attempts: tuple[Attempt, ...]) -> Iterator[tuple[str, str, str]]:
    before: datetime | None = None
    for attempt in attempts:
        pause = (attempt.started_at - before).total_seconds() if attempt.started_at and before else 0.0
        behind = f"after a pause of {pause:.2f} s: " if before else ""
        how = str(attempt.error) if attempt.error else "succeeded" if attempt.finished_at else "at work"
        tone = "red" if attempt.error else "green" if attempt.finished_at else "yellow"
        yield f"#{attempt.attempt}", f"{behind}{how}", tone
        before = attempt.finished_at


def _bar(node: Node, begin: float, end: float) -> str:
    """Attempts are work; whatever else takes time (a delay, a pause before the next attempt) is waiting."""
    cells = [" "] * _BAR
    entered, left = _offset(node.entered_at, begin), _offset(node.exited_at, begin, end)
    _fill(cells, "░" if _column(left, begin, end) > _column(entered, begin, end) else "█", entered, left, end - begin)
    for attempt in node.attempts:
        if attempt.started_at:
            started, finished = _offset(attempt.started_at, begin), _offset(attempt.finished_at, begin, end)
            _fill(cells, "█", started, finished, end - begin)
    return "".join(cells)


def _column(offset: float, begin: float, end: float) -> int:
    return min(_BAR - 1, int(offset / max(end - begin, 0.001) * _BAR))


def _fill(cells: list[str], mark: str, start: float, stop: float, whole: float) -> None:
    for column in range(_column(start, 0, whole), _column(stop, 0, whole) + 1):
        cells[column] = mark


def _name(node: Node) -> str:
    return f"{node.path}/{node.node}" if node.path else node.node


def _span(execution: Execution) -> tuple[float, float]:
    """Seconds since 1970, from the start to the last thing known."""
    told = [execution.closed_at, *(node.exited_at or node.entered_at for node in execution.nodes)]
    begin = execution.started_at.timestamp()
    return begin, max((moment.timestamp() for moment in told if moment), default=begin)


def _offset(moment: datetime | None, begin: float, end: float = 0.0) -> float:
    return (end if moment is None else moment.timestamp()) - begin
