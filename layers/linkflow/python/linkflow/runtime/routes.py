"""Routes of a service: typed handlers, checked and documented from their signatures (AWS Lambda Powertools' router).

    routes = Routes(guard)                                    # who may come in; None leaves the door open
    @routes.post("/api/v1/things/<thing>/open", tags=["things"], summary="Open a thing", status_code=202)
    async def open_thing(thing: str, body: OpenThing, dry: bool = False) -> Opened: ...

Path parameters stand in angle brackets, the one parameter that is a `Schema` is the JSON body (which may be absent
where it asks for nothing), others are the query. What a handler returns (a `Schema`, dataclass, mapping, list) becomes
JSON; None with status 204 becomes nothing; a Powertools `Response` goes out as it is. `current_call()` gives the rest
of the request.

Checking happens here instead of in the library's own middleware because that one is synchronous: under asyncio the
library gives it a thread, held until the handler has answered, so a handful of waiting requests would stop the server.
Here the same check runs in the event loop (it only computes), and nothing is held while a handler waits.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver, Route, Router
from aws_lambda_powertools.event_handler.middlewares.openapi_validation import OpenAPIRequestValidationMiddleware
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestUnsupportedContentType
from pydantic import BaseModel, ConfigDict
from pydantic_core import to_json

from linkflow.errors import Fault, Invalid, Malformed
from linkflow.language.json import Json
from linkflow.runtime.calls import Call, current_call

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler.middlewares import NextMiddleware

_FORM = "application/x-www-form-urlencoded"
Guard = Callable[[Call], Awaitable[object]]
"""Finds out who calls (its answer becomes `Call.caller`) or raises `Unauthenticated`, `Forbidden`, `RateLimited`."""

MAX_DEPTH = 200
"""Levels of nesting in a body; what is deeper cannot be written out again by everything that handles it later."""
_TOO_DEEP = f"The body is nested more than {MAX_DEPTH} levels deep."
_HALF = r"The body has half a character: a \u escape from d800 to dfff that is not one of a pair (high, then low)."
_HALVES = re.compile(rb"\\\\|\\u[dD][89abAB]..\\u[dD][c-fC-F]..|(\\u[dD][89a-fA-F])")
"""An escaped backslash, a pair, or a half that is alone (the group)."""
AnyHandler = TypeVar("AnyHandler", bound=Callable[..., Any])
_checking = OpenAPIRequestValidationMiddleware()  # type: ignore[no-untyped-call]  # the library's has no annotations


class Schema(BaseModel):
    """What callers send and get. A field we do not know is a fault, never silently dropped."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def asks(cls) -> bool:
        """Whether there is a field that nobody may leave out."""
        return any(one.is_required() for one in cls.model_fields.values())


class Routes(Router):
    """A router whose every route has the same guard, and which knows what was declared on it."""

    def __init__(self, guard: Guard | None = None, scheme: str = "bearer", *, raw: bool = False) -> None:
        """`raw`: bodies are the handlers' own business (`Call.body`); nothing is parsed, nothing refused."""
        super().__init__()  # type: ignore[no-untyped-call]  # the library's has no annotations
        self.declared: list[tuple[str, str]] = []
        """(method, rule) of every route."""
        self._door = _door(guard, raw=raw)
        self._security: list[dict[str, list[str]]] | None = [{scheme: []}] if guard else None

    def route(self, *args: Any, **kwargs: Any) -> Callable[[AnyHandler], AnyHandler]:
        given = _router_signature().bind(self, *args, **kwargs).arguments
        del given["self"]
        methods = [given["method"]] if isinstance(given["method"], str) else given["method"]
        self.declared += [(method.upper(), given["rule"]) for method in methods]
        given["middlewares"] = [self._door, *(given.get("middlewares") or ())]
        if given.get("security") is None:
            given["security"] = self._security
        return super().route(**given)

    def use(self, middlewares: Sequence[Callable[..., Any]]) -> None:
        """Refused: the library applies a router's middleware to every route of every router. Use the guard."""
        raise NotImplementedError("A router-wide middleware would run for every service's routes; use a guard.")


@cache
def _router_signature() -> inspect.Signature:
    """(Reading it takes longer than a declaration.)"""
    return inspect.signature(Router.route)


def _door(guard: Guard | None, *, raw: bool) -> Callable[..., Awaitable[Response[Any]]]:
    async def door(app: ApiGatewayResolver, next_middleware: Callable[..., Awaitable[Response[Any]]]) -> Response[Any]:
        call = current_call()
        if guard is not None:
            call.caller = await guard(call)
        if call.body and guard is not None and call.headers.get("content-type", "").startswith(_FORM):
            # What curl says of any body: read as a form, it would be refused field by field, which helps nobody.
            raise RequestUnsupportedContentType("A form was sent.", [])
        if call.body and not raw:
            _parse_body(app, call)
        elif not raw and _asks_nothing(app.context["_route"]):
            app.current_event.json_body = {}
        _checking.handler(app, cast("NextMiddleware", _only_check))
        return _encoded(await next_middleware(app))

    return door


def _only_check(_: Any) -> Response[Any]:
    """Ends the library's check, which would otherwise go on to the handler at this point."""
    return Response(200)


def _asks_nothing(route: Route) -> bool:
    """Whether every field of the body may be left out, so that an absent one is as good as `{}`."""
    schemas = [one.field_info.annotation for one in route.dependant.body_params]
    return all(isinstance(one, type) and issubclass(one, Schema) and not one.asks() for one in schemas)


def _parse_body(app: ApiGatewayResolver, call: Call) -> None:
    """Parse JSON in the library's stead, and take only an object (the library would take the first element of a list
    for one). Raises `Malformed`, `Invalid`."""
    kind = call.headers.get("content-type", "application/json")
    if not (kind.startswith("application/json") or kind.partition(";")[0].endswith("+json")):
        return
    parsed = read_json(call.body)
    if not isinstance(parsed, dict):
        raise Invalid("The request", [Fault("$.body", "object_type", "Send a JSON object.")])
    app.current_event.json_body = parsed


def read_json(body: bytes) -> Json:
    """Strictly (RFC 8259: no NaN, no halves of a character, which nobody could store or send on), and not too deep.
    Raises `Malformed`."""
    try:
        parsed: Json = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Malformed(_HALF if _has_half(body) else f"The body is not JSON: {error}.") from None
    except RecursionError:
        raise Malformed(_TOO_DEEP) from None
    if _deeper_than(MAX_DEPTH, parsed):
        raise Malformed(_TOO_DEEP)
    return parsed


def _has_half(body: bytes) -> bool:
    return any(found.group(1) for found in _HALVES.finditer(body))


def _deeper_than(limit: int, value: object) -> bool:
    level = [value]
    for _ in range(limit):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ())
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _encoded(response: Response[Any]) -> Response[Any]:
    """JSON in its final form, so that the library has nothing left to serialise."""
    if response.status_code == 204:
        response.body = None
        response.headers.pop("Content-Type", None)
    elif response.is_json() and not isinstance(response.body, str):
        ready = response.body if isinstance(response.body, bytes) else to_json_bytes(response.body)
        response.body = ready.decode()
    return response


def to_json_bytes(value: object) -> bytes:
    """Schemas, dataclasses, msgspec structs, mappings, lists, times: whatever our handlers answer, as JSON."""
    return to_json(value, by_alias=True, inf_nan_mode="null", fallback=msgspec.to_builtins)
