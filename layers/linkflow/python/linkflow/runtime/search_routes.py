"""The routes that find executions: a list, a count, statistics. People's door and the engine's have the same."""

from collections.abc import Callable
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query

from linkflow.engine.figures import counts, figures, node_figures
from linkflow.runtime.findings import CountView, StatisticsView, SummaryPage, count_view, page_view, statistics_view
from linkflow.runtime.parameters import Cursor, Limit
from linkflow.runtime.routes import Routes
from linkflow.runtime.searching import Filters, SortedBy, query_of, refuse_unknown
from linkflow.runtime.wiring import World

MOST_SAMPLED = 50
"""Executions whose books one request for figures of nodes may read."""
_SECONDS = {"hour": 3_600.0, "day": 86_400.0}

Asked = Annotated[Filters, Query()]
Order = Annotated[
    SortedBy, Query(description="Sort by this, descending with `-`; by closed_at or duration: closed ones only.")
]
Bucket = Annotated[Literal["hour", "day"], Query(description="Into what stretches of time (UTC) starts are gathered.")]
Sample = Annotated[
    int, Query(ge=0, le=MOST_SAMPLED, description="Work out figures of nodes from the books of so many executions.")
]


def search_routes(routes: Routes, world: World, base: str, tags: list[str], workspace: Callable[[], str]) -> None:
    """Below `base`, for the workspace of whoever calls."""

    @routes.get(base, tags=tags, summary="Find executions, the newest first unless told")
    async def list_executions(
        filters: Asked, sort: Order = "-started_at", limit: Limit = 50, cursor: Cursor = None
    ) -> SummaryPage:
        refuse_unknown("sort", "limit", "cursor")
        query, only = query_of(workspace(), filters, sort)
        return page_view(await world.engine.summaries.search(query, limit, cursor, only))

    @routes.get(f"{base}/count", tags=tags, summary="Count executions by status")
    async def count_executions(filters: Asked, cursor: Cursor = None) -> CountView:
        refuse_unknown("cursor")
        query, only = query_of(workspace(), filters)
        return count_view(*await counts(world.engine, query, cursor, only))

    @routes.get(f"{base}/statistics", tags=tags, summary="Rates and durations by workflow and time")
    async def get_statistics(
        filters: Asked, bucket: Bucket = "day", nodes: Sample = 0, cursor: Cursor = None
    ) -> StatisticsView:
        refuse_unknown("bucket", "nodes", "cursor")
        query, only = query_of(workspace(), filters)
        found = await figures(world.engine, query, _SECONDS[bucket], cursor, only)
        of_nodes = await node_figures(world.engine, workspace(), query, nodes) if nodes else ([], 0)
        return statistics_view(found, *of_nodes)
