"""Webhooks: a call from outside becomes an execution, and perhaps its answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import msgspec

from linkflow.engine.results import await_result, has_answered, is_closed
from linkflow.engine.start import Start, start
from linkflow.errors import Malformed, WrongMethod
from linkflow.execution.state import State
from linkflow.language.json import Json
from linkflow.runtime.calls import Call
from linkflow.runtime.wiring import World
from linkflow.stores.records import HookTarget

PATIENCE = 25.0
"""Seconds a caller waits for the result before getting 202: below what gateways bear (29 s)."""
_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})


@dataclass(frozen=True, slots=True)
class HookAnswer:
    status: int
    body: Json
    headers: Mapping[str, str] = field(default_factory=dict)


async def receive(world: World, token: str, call: Call) -> HookAnswer:
    """Raises `NotFound` for an unknown token, `WrongMethod`, `Malformed` for a body that is not the JSON it says."""
    target = await world.engine.workflows.hook(token)
    if target.method not in (call.method, "ANY"):
        raise WrongMethod(call.method, target.method)
    workflow = await world.engine.workflows.get(target.workspace, target.workflow)
    key = call.headers.get("idempotency-key")
    request = Start(workflow, _trigger(call), "webhook", target.node, idempotency_key=key)
    execution = await start(world.engine, request)
    return await _answer(world, target, execution)


async def _answer(world: World, target: HookTarget, execution: str) -> HookAnswer:
    accepted = HookAnswer(202, {"execution": execution})
    if target.answer == "at_once":
        return accepted
    enough = has_answered if target.answer == "respond_node" else is_closed
    state = await await_result(world.engine, target.workspace, execution, PATIENCE, enough)
    return accepted if state is None else _result(state, execution)


def _result(state: State, execution: str) -> HookAnswer:
    if state.response is not None:
        return HookAnswer(state.response["status"], state.response["body"], state.response["headers"])
    if state.status == "succeeded":
        return HookAnswer(200, state.output)
    message = f"The workflow ended as '{state.status}'."
    return HookAnswer(502, {"error": {"code": "workflow_failed", "message": message, "execution": execution}})


def _trigger(call: Call) -> Json:
    return {
        "method": call.method,
        "headers": {name: value for name, value in call.headers.items() if name not in _SECRET_HEADERS},
        "query": {
            name: values[0] if len(values) == 1 else values
            for name, values in parse_qs(call.query, keep_blank_values=True).items()
        },
        "body": _body(call),
    }


def _body(call: Call) -> Json:
    if not call.body:
        return None
    if "json" in call.headers.get("content-type", ""):
        try:
            return msgspec.json.decode(call.body)
        except msgspec.DecodeError as error:
            raise Malformed(f"The body says it is JSON, but it is not: {error}.") from error
    return call.body.decode(errors="replace")
