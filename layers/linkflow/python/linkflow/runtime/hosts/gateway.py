"""API Gateway's REST proxy events to ASGI and back, so that the site is one and the same on every host.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

import base64
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import urlencode

Asgi = Callable[[MutableMapping[str, Any], Callable[..., Any], Callable[..., Any]], Awaitable[None]]
_PLAIN = ("text/", "application/json")


async def answer(site: Asgi, event: Mapping[str, Any]) -> dict[str, Any]:
    """The proxy response for `event`."""
    body = base64.b64decode(event["body"]) if event.get("isBase64Encoded") else (event.get("body") or "").encode()
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    await site(_scope(event), receive, send)
    return _response(sent[0], b"".join(message["body"] for message in sent[1:]))


def _scope(event: Mapping[str, Any]) -> dict[str, Any]:
    headers = event.get("multiValueHeaders") or {name: [value] for name, value in (event.get("headers") or {}).items()}
    queries = event.get("multiValueQueryStringParameters") or event.get("queryStringParameters") or {}
    client = event["requestContext"].get("identity", {}).get("sourceIp")
    return {
        "type": "http",
        "method": event["httpMethod"],
        "path": event["path"],
        "query_string": urlencode(queries, doseq=True).encode(),
        # the gateway compresses by itself, and what is compressed here would have to travel as base64
        "headers": [
            (name.lower().encode(), value.encode())
            for name, values in headers.items()
            for value in values
            if name.lower() != "accept-encoding"
        ],
        "client": (client, 0) if client else None,
    }


def _response(start: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    headers: dict[str, list[str]] = {}
    for name, value in start["headers"]:
        headers.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    plain = headers.get("content-type", ["text/"])[0].startswith(_PLAIN)
    return {
        "statusCode": start["status"],
        "multiValueHeaders": headers,
        "body": body.decode() if plain else base64.b64encode(body).decode(),
        "isBase64Encoded": not plain,
    }
