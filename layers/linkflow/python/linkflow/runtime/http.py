"""The site: all routes of all services as one ASGI application, the same on every host.

What is true for every request is done here: its id, the limit on its size, 404 and 405, and that whatever goes wrong
becomes an answer in the one shape of errors. Routing, checking and OpenAPI are the library's.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import Any

from aws_lambda_powertools.event_handler import CORSConfig, HttpResolverLocal, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from linkflow import ids
from linkflow.errors import Malformed, Stopping, TooLarge
from linkflow.ports import Ids
from linkflow.runtime.answers import Answer, no_route, refusal
from linkflow.runtime.calls import Call, current_call, enter
from linkflow.runtime.documentation import document
from linkflow.runtime.routes import Routes, to_json_bytes

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_REQUEST_ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)
_DISCARDED = 32
"""So many times the limit of a refused body is read and thrown away, since many clients listen only after sending."""


class Site:
    """An ASGI application. `max_body` is in bytes."""

    def __init__(self, routes: Sequence[Routes], names: Ids, *, max_body: int, origins: Sequence[str] = ()) -> None:
        self._names = names
        self._max_body = max_body
        cors = CORSConfig(allow_origin=origins[0], extra_origins=list(origins[1:])) if origins else None
        self._resolver = HttpResolverLocal(cors=cors, debug=False, serializer=_text)
        self._resolver.exception_handler(Exception)(self._refuse)
        self.routes = [*routes, document(self._resolver)]
        for one in self.routes:
            self._resolver.include_router(one)
        self._rules = [
            (re.compile(re.sub(r"<\w+>", "[^/]+", rule)), method)
            for one in self.routes
            for method, rule in one.declared
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = self._call(scope)
        enter(call)
        outgoing = _labelled(send, call)
        try:
            call.body = await _read(receive, call, self._max_body)
            await self._resolver(_resolvable(scope, call), _once(_readable(call)), outgoing)
        except asyncio.CancelledError:  # (by the host, whose patience at a stop is over)
            await _send(outgoing, refusal(Stopping(), call.id))
            raise
        except UnicodeDecodeError:
            await _send(outgoing, refusal(Malformed("The request's headers and query must be UTF-8."), call.id))
        except Exception as error:  # noqa: BLE001 (whatever it is, the caller gets an answer and the log the traceback)
            await _send(outgoing, refusal(error, call.id))

    def _call(self, scope: Scope) -> Call:
        headers: dict[str, str] = {}
        for raw_name, raw_value in scope["headers"]:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        given = headers.get("x-request-id", "")
        client = scope.get("client")
        return Call(
            id=given if _REQUEST_ID.fullmatch(given) else self._names.new(ids.REQUEST),
            method=scope["method"],
            path=scope["path"].rstrip("/") or "/",
            query=scope.get("query_string", b"").decode("latin-1"),
            headers=headers,
            client=client[0] if client else "",
        )

    def _refuse(self, error: Exception) -> Response[str]:
        call = current_call()
        if isinstance(error, NotFoundError):
            allowed = {method for rule, method in self._rules if rule.fullmatch(call.path)}
            told = no_route(call.method, call.path, [] if call.method in allowed else sorted(allowed), call.id)
        else:
            told = refusal(error, call.id)
        return Response(told.status, "application/json", told.body.decode(), told.headers)


def _text(value: object) -> str:
    return to_json_bytes(value).decode()


def _resolvable(scope: Scope, call: Call) -> Scope:
    """The scope as the library matches it: no trailing slash, HEAD as GET, every kind of JSON as JSON."""
    resolvable = {**scope, "path": call.path, "method": "GET" if call.method == "HEAD" else call.method}
    if "+json" in call.headers.get("content-type", ""):
        others = [header for header in scope["headers"] if header[0].lower() != b"content-type"]
        resolvable["headers"] = [*others, (b"content-type", b"application/json")]
    return resolvable


def _readable(call: Call) -> bytes:
    """The body if it is text. The library knows no other; handlers have `Call.body`."""
    try:
        call.body.decode()
    except UnicodeDecodeError:
        return b""
    return call.body


async def _read(receive: Receive, call: Call, limit: int) -> bytes:
    """The whole body. Raises `TooLarge`, never having kept more than `limit` bytes."""
    declared = call.headers.get("content-length", "0")
    size = int(declared) if declared.isdecimal() else 0
    if size > limit * _DISCARDED:
        raise TooLarge("The body", size, limit)
    pieces: list[bytes] = []
    read = 0
    more = True
    while more and read <= limit * _DISCARDED:
        message = await receive()
        piece = message.get("body", b"")
        read += len(piece)
        more = message.get("more_body", False)
        if read > limit:
            pieces.clear()
        else:
            pieces.append(piece)
    if read > limit:
        raise TooLarge("The body", max(read, size), limit)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _once(body: bytes) -> Receive:
    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _labelled(send: Send, call: Call) -> Send:
    """`send` that completes an answer: its length (or callers would get it in chunks), the request's id, the call's own
    headers; and no body for a HEAD."""
    start: MutableMapping[str, Any] = {}

    async def labelled(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
            return
        body = message.get("body") or b""
        length = [] if start["status"] == 204 else [(b"content-length", b"%d" % len(body))]
        own = [(b"x-request-id", call.id.encode()), *_raw(call.answer_headers)]
        await send({**start, "headers": [*start["headers"], *length, *own]})
        await send({"type": "http.response.body", "body": b"" if call.method == "HEAD" else body})

    return labelled


def _raw(headers: Mapping[str, str]) -> Iterable[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


async def _send(send: Send, answer: Answer) -> None:
    headers = [(b"content-type", b"application/json"), *_raw(answer.headers)]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def _lifespan(receive: Receive, send: Send) -> None:
    while (await receive())["type"] == "lifespan.startup":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})
