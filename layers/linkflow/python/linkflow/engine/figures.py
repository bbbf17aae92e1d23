"""Statistics: what the catalogue counted, as rates and percentiles; and, on request, what nodes took, read from the
books of a few executions (which is not cheap, so the caller says of how many)."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import get_args

from linkflow.engine.engine import Engine
from linkflow.execution.state import Status
from linkflow.execution.timeline import Entry, timeline
from linkflow.search import Cell, Query, paced
from linkflow.stores.books import Numbered

MOST_TURNS = 2_000
"""Of one book; what comes later is not looked at."""
_PAGE = 200
_OPEN = "running"


@dataclass(frozen=True, slots=True)
class Row:
    """A workflow's executions of one stretch of time, by status. `seconds`: the 50th, 95th and 99th percentile of what
    closed ones took."""

    workflow: str
    at: float
    counts: Mapping[str, int]
    seconds: tuple[float, float, float] | None

    @property
    def closed(self) -> int:
        return sum(count for status, count in self.counts.items() if status != _OPEN)

    @property
    def success_rate(self) -> float | None:
        return round(self.counts.get("succeeded", 0) / self.closed, 4) if self.closed else None


@dataclass(frozen=True, slots=True)
class Figures:
    rows: Sequence[Row]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class NodeFigure:
    """Milliseconds from entering the node to leaving it, waits included; of a task, whose entry and exit may be written
    in one turn, at least those that its attempts took."""

    workflow: str
    node: str
    count: int
    failures: int
    mean_ms: float
    p95_ms: float


async def counts(
    engine: Engine, query: Query, cursor: str | None, only: str | None
) -> tuple[dict[str, int], str | None]:
    """By status; the cursor goes on counting."""
    cells = await engine.summaries.count(query, None, cursor, only)
    found: Counter[str] = Counter()
    for cell in cells.cells:
        found[cell.status] += cell.count
    return dict(sorted(found.items())), cells.cursor


async def figures(engine: Engine, query: Query, bucket: float, cursor: str | None, only: str | None) -> Figures:
    """By workflow and stretch of `bucket` seconds, the newest first."""
    cells = await engine.summaries.count(query, bucket, cursor, only)
    groups: defaultdict[tuple[float, str], list[Cell]] = defaultdict(list)
    for cell in cells.cells:
        groups[-cell.at, cell.workflow].append(cell)
    return Figures([_row(group) for _, group in sorted(groups.items())], cells.cursor)


async def node_figures(engine: Engine, workspace: str, query: Query, sample: int) -> tuple[list[NodeFigure], int]:
    """From the newest `sample` closed executions that fit; how many there were."""
    closed = tuple(status for status in query.statuses or get_args(Status) if status != _OPEN)
    found = (await engine.summaries.search(replace(query, statuses=closed), sample)).summaries if closed else []
    books = await asyncio.gather(*(_turns(engine, workspace, one.execution) for one in found))
    entries: defaultdict[tuple[str, str], list[Entry]] = defaultdict(list)
    for one, turns in zip(found, books, strict=True):
        for entry in timeline((numbered.turn.at, numbered.turn.events) for numbered in turns)[1]:
            entries[one.workflow, entry.node].append(entry)
    return [_figure(*names, group) for names, group in sorted(entries.items())], len(found)


async def _turns(engine: Engine, workspace: str, execution: str) -> list[Numbered]:
    turns: list[Numbered] = []
    while len(turns) < MOST_TURNS:
        page = await engine.books.turns(workspace, execution, turns[-1].number if turns else -1, _PAGE)
        if not page:
            break
        turns += page
    return turns


def _row(cells: Sequence[Cell]) -> Row:
    counted: Counter[str] = Counter()
    paces: Counter[int] = Counter()
    for cell in cells:
        counted[cell.status] += cell.count
        if cell.pace is not None:
            paces[cell.pace] += cell.count
    return Row(cells[0].workflow, cells[0].at, dict(sorted(counted.items())), _percentiles(paces))


def _percentiles(paces: Mapping[int, int]) -> tuple[float, float, float] | None:
    if not paces:
        return None
    p50, p95, p99 = (round(paced(_percentile(paces, share)), 4) for share in (0.50, 0.95, 0.99))
    return p50, p95, p99


def _percentile(counted: Mapping[int, int], share: float) -> int:
    """The least value that `share` of all do not exceed."""
    wanted, seen = share * sum(counted.values()), 0
    for value in sorted(counted):
        seen += counted[value]
        if seen >= wanted:
            return value
    return max(counted)


def _seconds(entry: Entry) -> float | None:
    if entry.exited_at is None:
        return None
    began = min((one.started for one in entry.attempts if one.started), default=entry.entered_at)
    ended = max((one.finished for one in entry.attempts if one.finished), default=entry.exited_at)
    return max(0.0, entry.exited_at - entry.entered_at, ended - began)


def _figure(workflow: str, node: str, entries: Iterable[Entry]) -> NodeFigure:
    entered = [entry for entry in entries if entry.status != "skipped"]
    took = sorted(seconds * 1000 for one in entered if (seconds := _seconds(one)) is not None)
    failures = sum(one.status == "failed" for one in entered)
    mean = sum(took) / len(took) if took else 0.0
    p95 = took[min(len(took) - 1, int(len(took) * 0.95))] if took else 0.0
    return NodeFigure(workflow, node, len(entered), failures, round(mean, 3), round(p95, 3))
