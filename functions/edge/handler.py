"""edge: the outside world. Webhooks come in, links are followed, callbacks go out, and whoever listens hears that an
execution is over."""

from collections.abc import Sequence

import msgspec
from aws_lambda_powertools.event_handler import Response

from functions.edge import service
from functions.edge.links import link_routes
from linkflow.engine.closed import tell_listeners
from linkflow.engine.platform.notices import spread
from linkflow.messages import CALLBACKS, CLOSED, Closed, Notice
from linkflow.ports import Message
from linkflow.runtime.calls import current_call
from linkflow.runtime.functions import Function, HttpRoutes, QueueTrigger
from linkflow.runtime.routes import Routes, to_json_bytes
from linkflow.runtime.wiring import World
from linkflow.stores.rates import Rates

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_TAGS = ["webhooks"]
_SUMMARY = "Start the workflow behind a webhook"


def functions(world: World) -> Sequence[Function]:
    routes = Routes(raw=True)
    rates = Rates(world.table)

    async def receive(token: str, *path: str) -> Response[bytes]:
        answer = await service.receive(world, rates, token, "".join(f"/{part}" for part in path), current_call())
        text = isinstance(answer.body, str) and "content-type" in {name.lower() for name in answer.headers}
        body = answer.body.encode() if text else to_json_bytes(answer.body)
        headers = {"Content-Type": "application/json", **answer.headers}
        return Response(answer.status, None, body, headers)

    @routes.route("/hooks/<token>", method=_METHODS, tags=_TAGS, summary=_SUMMARY)
    async def receive_hook(token: str) -> Response[bytes]:
        return await receive(token)

    # One route for each depth: gateways have no way in common to say "and whatever follows".
    @routes.route("/hooks/<token>/<a>", method=_METHODS, tags=_TAGS, summary=_SUMMARY)
    async def receive_hook_below(token: str, a: str) -> Response[bytes]:
        return await receive(token, a)

    @routes.route("/hooks/<token>/<a>/<b>", method=_METHODS, tags=_TAGS, summary=_SUMMARY)
    async def receive_hook_two_below(token: str, a: str, b: str) -> Response[bytes]:
        return await receive(token, a, b)

    @routes.route("/hooks/<token>/<a>/<b>/<c>", method=_METHODS, tags=_TAGS, summary=_SUMMARY)
    async def receive_hook_three_below(token: str, a: str, b: str, c: str) -> Response[bytes]:
        return await receive(token, a, b, c)

    link_routes(routes, world)

    async def hear_closed(message: Message) -> None:
        await tell_listeners(world.engine, msgspec.json.decode(message.body, type=Closed))

    async def tell(message: Message) -> None:
        await spread(world.engine, msgspec.json.decode(message.body, type=Notice))

    return [
        Function("edge_http", "edge", HttpRoutes(routes)),
        Function("edge_closed", "edge", QueueTrigger(CLOSED, hear_closed)),
        Function("edge_callbacks", "edge", QueueTrigger(CALLBACKS, tell)),
    ]
