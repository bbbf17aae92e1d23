"""edge: the outside world. Webhooks come in here."""

from collections.abc import Sequence

from aws_lambda_powertools.event_handler import Response

from functions.edge import service
from linkflow.runtime.calls import current_call
from linkflow.runtime.functions import Function, HttpRoutes
from linkflow.runtime.routes import Routes, to_json_bytes
from linkflow.runtime.wiring import World

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def functions(world: World) -> Sequence[Function]:
    routes = Routes()

    @routes.route("/hooks/<token>", method=_METHODS, tags=["webhooks"], summary="Start the workflow behind a webhook")
    async def receive_hook(token: str) -> Response[bytes]:
        answer = await service.receive(world, token, current_call())
        text = isinstance(answer.body, str) and "content-type" in {name.lower() for name in answer.headers}
        body = answer.body.encode() if text else to_json_bytes(answer.body)
        headers = {"Content-Type": "application/json", **answer.headers}
        return Response(answer.status, None, body, headers)

    return [Function("edge_http", "edge", HttpRoutes(routes))]
