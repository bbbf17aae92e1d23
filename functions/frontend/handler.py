"""frontend: the engine's one door for other programs, signed. The same verbs as people have under `/api/v1`."""

from collections.abc import Sequence

from aws_lambda_powertools.event_handler import Response

from functions.frontend import service
from functions.frontend.schemas import (
    ResetExecution,
    SignalledView,
    SignalWithStart,
    StartExecution,
    Wish,
)
from linkflow.engine.cancel import cancel, terminate
from linkflow.engine.describe import describe
from linkflow.engine.pauses import pause, resume
from linkflow.engine.signal import signal
from linkflow.runtime.calls import current_call
from linkflow.runtime.descriptions import DescriptionView, description_view
from linkflow.runtime.functions import Function, HttpRoutes
from linkflow.runtime.reading_routes import reading_routes
from linkflow.runtime.routes import Routes, to_json_bytes
from linkflow.runtime.signed import SCHEME, signature_guard, signer
from linkflow.runtime.telling import SendSignal, SignalSent, told
from linkflow.runtime.wiring import World
from linkflow.runtime.wishing import ResetView, take_up_again

_BASE = "/engine/v1/executions"
_ONE = f"{_BASE}/<execution_id>"
_TAGS = ["engine"]
_JSON = "application/json"


def functions(world: World) -> Sequence[Function]:
    routes = Routes(signature_guard(world), SCHEME)
    _starting(routes, world)
    _signals(routes, world)
    _wishes(routes, world)
    _reading(routes, world)
    return [Function("frontend_http", "frontend", HttpRoutes(routes))]


def _key() -> str | None:
    return current_call().headers.get("idempotency-key")


def _starting(routes: Routes, world: World) -> None:
    @routes.post(_BASE, tags=_TAGS, summary="Start an execution, and perhaps wait for its result")
    async def start_execution(body: StartExecution) -> Response[bytes]:
        outcome = await service.start(world, signer(), body, _key())
        status = 202 if outcome.state is None else 200
        return Response(status, _JSON, to_json_bytes(service.started_view(world, outcome)))

    @routes.post(f"{_ONE}/reset", tags=_TAGS, summary="Take it up again from an event or a node", status_code=202)
    async def reset_execution(execution_id: str, body: ResetExecution) -> ResetView:
        new = await take_up_again(world, signer().workspace, execution_id, body, body.by or signer().name, _key())
        return ResetView(id=new, url=service.address(world, new))


def _signals(routes: Routes, world: World) -> None:
    @routes.post(f"{_BASE}/signal-with-start", tags=_TAGS, summary="Tell it something; start it first", status_code=202)
    async def signal_with_start(body: SignalWithStart) -> SignalledView:
        return await service.signal_with_start(world, signer(), body, _key())

    @routes.post(f"{_ONE}/signal", tags=_TAGS, summary="Tell it something", status_code=202)
    async def signal_execution(execution_id: str, body: SendSignal) -> SignalSent:
        news = told(world, body, signer().name, _key())
        await signal(world.engine, signer().workspace, execution_id, news)
        return SignalSent(id=news.id)


def _wishes(routes: Routes, world: World) -> None:
    @routes.post(f"{_ONE}/cancel", tags=_TAGS, summary="Ask it to end, after its handlers", status_code=202)
    async def cancel_execution(execution_id: str, body: Wish) -> None:
        by, request = body.by or signer().name, _key() or current_call().id
        await cancel(world.engine, signer().workspace, execution_id, by, body.reason, request)

    @routes.post(f"{_ONE}/terminate", tags=_TAGS, summary="End it at once", status_code=202)
    async def terminate_execution(execution_id: str, body: Wish) -> None:
        await terminate(world.engine, signer().workspace, execution_id, body.by or signer().name, body.reason)

    @routes.post(f"{_ONE}/pause", tags=_TAGS, summary="Let nothing new begin", status_code=202)
    async def pause_execution(execution_id: str, body: Wish) -> None:
        await pause(world.engine, signer().workspace, execution_id, body.by or signer().name, body.reason)

    @routes.post(f"{_ONE}/resume", tags=_TAGS, summary="Let it go on", status_code=202)
    async def resume_execution(execution_id: str, body: Wish) -> None:
        await resume(world.engine, signer().workspace, execution_id, body.by or signer().name)


def _reading(routes: Routes, world: World) -> None:
    @routes.get(_ONE, tags=_TAGS, summary="What it is at")
    async def describe_execution(execution_id: str) -> DescriptionView:
        return description_view(await describe(world.engine, signer().workspace, execution_id))

    reading_routes(routes, world, _ONE, _TAGS, lambda: signer().workspace)
