"""The routes that read one execution: its data, its book, its history. People's door and the engine's have the same."""

from collections.abc import Callable

from linkflow.engine.describe import query
from linkflow.engine.histories import aws_history, backwards, forwards
from linkflow.runtime.descriptions import AnswerView, EventPage, HistoryView, answer_view, event_page, history_view
from linkflow.runtime.parameters import After, Before, Limit, Order, WaitSeconds
from linkflow.runtime.routes import Routes
from linkflow.runtime.wiring import World


def reading_routes(routes: Routes, world: World, one: str, tags: list[str], workspace: Callable[[], str]) -> None:
    """Below `one`, which names the `<execution_id>`, for the workspace of whoever calls."""

    @routes.get(f"{one}/query", tags=tags, summary="Its data: variables and outputs")
    async def query_execution(execution_id: str) -> AnswerView:
        return answer_view(await query(world.engine, workspace(), execution_id))

    @routes.get(f"{one}/events", tags=tags, summary="What was recorded, in pages, in either direction")
    async def list_events(
        execution_id: str,
        after: After = -1,
        before: Before = None,
        order: Order = "oldest",
        limit: Limit = 50,
        wait: WaitSeconds = 0,
    ) -> EventPage:
        if order == "newest":
            return event_page(await backwards(world.engine, workspace(), execution_id, before, limit), after)
        return event_page(await forwards(world.engine, workspace(), execution_id, after, limit, wait), after)

    @routes.get(f"{one}/history", tags=tags, summary="The same in Step Functions' words")
    async def get_history(execution_id: str) -> HistoryView:
        return history_view(await aws_history(world.engine, workspace(), execution_id))
