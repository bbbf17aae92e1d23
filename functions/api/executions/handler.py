"""Routes of executions."""

from functions.api.auth.guard import caller
from functions.api.executions import service
from functions.api.executions.schemas import ExecutionDetail
from functions.api.executions.views import address, execution_detail
from linkflow.engine.cancel import cancel, terminate
from linkflow.engine.describe import describe
from linkflow.engine.pauses import pause, resume
from linkflow.engine.signal import signal
from linkflow.runtime.calls import current_call
from linkflow.runtime.reading_routes import reading_routes
from linkflow.runtime.routes import Routes
from linkflow.runtime.search_routes import search_routes
from linkflow.runtime.telling import SendSignal, SignalSent, told
from linkflow.runtime.wiring import World
from linkflow.runtime.wishing import ResetExecution, ResetView, Wish, take_up_again

_TAGS = ["executions"]


def execution_routes(routes: Routes, world: World) -> None:
    search_routes(routes, world, "/api/v1/executions", _TAGS, lambda: caller().workspace)

    @routes.get("/api/v1/executions/<execution_id>", tags=_TAGS, summary="One execution, node by node")
    async def get_execution(execution_id: str) -> ExecutionDetail:
        told = await describe(world.engine, caller().workspace, execution_id)
        return execution_detail(told, *await service.detail(world, caller().workspace, execution_id))

    reading_routes(routes, world, "/api/v1/executions/<execution_id>", _TAGS, lambda: caller().workspace)

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
        key = current_call().headers.get("idempotency-key")
        new = await take_up_again(world, caller().workspace, execution_id, body, caller().user, key)
        return ResetView(id=new, url=address(world, new))
