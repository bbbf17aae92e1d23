"""What a search, a count and statistics answer, the same behind every door. Times are RFC 3339 in UTC."""

from collections.abc import Sequence

from pydantic import Field

from linkflow.engine.figures import Figures, NodeFigure, Row
from linkflow.runtime.routes import Schema
from linkflow.runtime.views import time_view
from linkflow.search import Value
from linkflow.stores.records import Summary
from linkflow.stores.summaries import Listed


class SummaryView(Schema):
    id: str
    workflow: str
    version: int
    status: str
    trigger: str
    name: str = ""
    started_at: str
    closed_at: str | None = None
    error: str | None = None
    business_key: str | None = None
    tags: list[str] = Field(default_factory=list)
    attributes: dict[str, Value] = Field(default_factory=dict)
    parent: str | None = None
    archived: bool = False


class SummaryPage(Schema):
    """A page may hold fewer than were asked for, even none, and still have a `next_cursor`: then there was much to look
    through, and the next page goes on behind it."""

    data: list[SummaryView]
    next_cursor: str | None = None


class CountView(Schema):
    """By status. With a `next_cursor` there was more to count than one request does: ask again and add."""

    total: int
    counts: dict[str, int]
    next_cursor: str | None = None


class SecondsView(Schema):
    """How long closed executions took: percentiles, exact to 1 %."""

    p50: float
    p95: float
    p99: float


class StatisticsRow(Schema):
    """The executions of a workflow that started within the bucket of time beginning at `start`. `success_rate` is that
    of the closed ones."""

    workflow: str
    start: str
    started: int
    closed: int
    counts: dict[str, int]
    success_rate: float | None = None
    seconds: SecondsView | None = None


class NodeFigureView(Schema):
    """Of the newest closed executions that fit, as many as were asked for: how often the node was entered, how often it
    failed, how many milliseconds it took."""

    workflow: str
    node: str
    count: int
    failures: int
    mean_ms: float
    p95_ms: float


class StatisticsView(Schema):
    """`sampled`: how many executions `nodes` were worked out from. `next_cursor` as in a count: what is counted from
    there on is in no row here."""

    data: list[StatisticsRow]
    nodes: list[NodeFigureView] = Field(default_factory=list)
    sampled: int = 0
    next_cursor: str | None = None


def summary_view(summary: Summary) -> SummaryView:
    return SummaryView(
        id=summary.execution,
        workflow=summary.workflow,
        version=summary.version,
        status=summary.status,
        trigger=summary.trigger,
        name=summary.name,
        started_at=time_view(summary.started_at),
        closed_at=time_view(summary.closed_at),
        error=summary.error,
        business_key=summary.business_key or None,
        tags=list(summary.tags),
        attributes=dict(summary.attributes),
        parent=summary.parent or None,
        archived=summary.archived is not None,
    )


def page_view(listed: Listed) -> SummaryPage:
    return SummaryPage(data=[summary_view(one) for one in listed.summaries], next_cursor=listed.cursor)


def count_view(counts: dict[str, int], cursor: str | None) -> CountView:
    return CountView(total=sum(counts.values()), counts=counts, next_cursor=cursor)


def statistics_view(figures: Figures, nodes: Sequence[NodeFigure], sampled: int) -> StatisticsView:
    return StatisticsView(
        data=[_row(row) for row in figures.rows],
        nodes=[_node(one) for one in nodes],
        sampled=sampled,
        next_cursor=figures.cursor,
    )


def _row(row: Row) -> StatisticsRow:
    seconds = None if row.seconds is None else SecondsView(p50=row.seconds[0], p95=row.seconds[1], p99=row.seconds[2])
    return StatisticsRow(
        workflow=row.workflow,
        start=time_view(row.at),
        started=sum(row.counts.values()),
        closed=row.closed,
        counts=dict(row.counts),
        success_rate=row.success_rate,
        seconds=seconds,
    )


def _node(one: NodeFigure) -> NodeFigureView:
    return NodeFigureView(
        workflow=one.workflow,
        node=one.node,
        count=one.count,
        failures=one.failures,
        mean_ms=one.mean_ms,
        p95_ms=one.p95_ms,
    )
