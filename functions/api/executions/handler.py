"""Routes of executions."""

from functions.api.auth.guard import caller
from functions.api.executions import service
from functions.api.executions.schemas import (
    ExecutionDetail,
    ResetExecution,
    Wish,
)
from functions.api.executions.views import execution_detail
from linkflow.engine.cancel import cancel, terminate
from linkflow.engine.describe import describe, query
from linkflow.engine.histories import aws_history, backwards, forwards
from linkflow.engine.pauses import pause, resume
from linkflow.engine.signal import signal
from linkflow.runtime.calls import current_call
from linkflow.runtime.descriptions import AnswerView, EventPage, HistoryView, answer_view, event_page, history_view
from linkflow.runtime.parameters import After, Before, Limit, Order, WaitSeconds
from linkflow.runtime.resetting import ResetView
from linkflow.runtime.routes import Routes
from linkflow.runtime.search_routes import search_routes
from linkflow.runtime.telling import SendSignal, SignalSent, told
from linkflow.runtime.wiring import World

_TAGS = ["executions"]


def execution_routes(routes: Routes, world: World) -> None:
    search_routes(routes, world, "/api/v1/executions", _TAGS, lambda: caller().workspace)

    @routes.get("/api/v1/executions/<execution_id>", tags=_TAGS, summary="One execution, node by node")
    async def get_execution(execution_id: str) -> ExecutionDetail:
        told = await describe(world.engine, caller().workspace, execution_id)
        return execution_detail(told, *await service.detail(world, caller().workspace, execution_id))

    @routes.get("/api/v1/executions/<execution_id>/query", tags=_TAGS, summary="Its data: variables and outputs")
    async def query_execution(execution_id: str) -> AnswerView:
        return answer_view(await query(world.engine, caller().workspace, execution_id))

    @routes.get("/api/v1/executions/<execution_id>/events", tags=_TAGS, summary="What was recorded, in order")
    async def list_events(
        execution_id: str,
        after: After = -1,
        before: Before = None,
        order: Order = "oldest",
        limit: Limit = 50,
        wait: WaitSeconds = 0,
    ) -> EventPage:
        if order == "newest":
            return event_page(await backwards(world.engine, caller().workspace, execution_id, before, limit), after)
        return event_page(await forwards(world.engine, caller().workspace, execution_id, after, limit, wait), after)

    @routes.get("/api/v1/executions/<execution_id>/history", tags=_TAGS, summary="The same in Step Functions' words")
    async def get_history(execution_id: str) -> HistoryView:
        return history_view(await aws_history(world.engine, caller().workspace, execution_id))

    @routes.post("/api/v1/executions/<execution_id>/signal", tags=_TAGS, summary="Tell it something", status_code=202)
    async def signal_execution(execution_id: str, body: SendSignal) -> SignalSent:
        news = told(world, body, caller().user, current_call().headers.get("idempotency-key"))
        await signal(world.engine, caller().workspace, execution_id, news)
        return SignalSent(id=news.id)

    @routes.post("/api/v1/executions/<execution_id>/cancel", tags=_TAGS, summary="Ask it to end", status_code=202)
    async def cancel_execution(execution_id: str, body: Wish) -> None:
        request = current_call().headers.get("idempotency-key", current_call().id)
        await cancel(world.engine, caller().workspace, execution_id, caller().user, body.reason, request)

    @routes.post("/api/v1/executions/<execution_id>/terminate", tags=_TAGS, summary="End it at once", status_code=202)
    async def terminate_execution(execution_id: str, body: Wish) -> None:
        await terminate(world.engine, caller().workspace, execution_id, caller().user, body.reason)

    @routes.post(
        "/api/v1/executions/<execution_id>/pause", tags=_TAGS, summary="Let nothing new begin", status_code=202
    )
    async def pause_execution(execution_id: str, body: Wish) -> None:
        await pause(world.engine, caller().workspace, execution_id, caller().user, body.reason)

    @routes.post("/api/v1/executions/<execution_id>/resume", tags=_TAGS, summary="Let it go on", status_code=202)
    async def resume_execution(execution_id: str) -> None:
        await resume(world.engine, caller().workspace, execution_id, caller().user)

    @routes.post("/api/v1/executions/<execution_id>/reset", tags=_TAGS, summary="Take it up again", status_code=202)
    async def reset_execution(execution_id: str, body: ResetExecution) -> ResetView:
        new = await service.take_up_again(world, caller(), execution_id, body, current_call().headers)
        return ResetView(id=new, url=f"{world.settings.address}/api/v1/executions/{new}")
