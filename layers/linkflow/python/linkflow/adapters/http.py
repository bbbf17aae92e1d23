"""Outbound HTTP for nodes, guarded (PLATFORMS §5).

The name is resolved here, every address it has is checked, and the connection goes to a checked address: nothing is
resolved a second time, so a name cannot change its mind in between. Host header, TLS server name and certificate stay
those of the name. Redirects are followed by hand, each checked like the first request.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpcore
import httpx

from linkflow.adapters.addresses import Allowed, parsed
from linkflow.ports import HttpFailed, HttpRequest, HttpResponse

MOST_REDIRECTS = 10
_CREDENTIALS = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host, as text. Raises `OSError` when it has none."""


async def resolve_by_system(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class GuardedHttp:
    """The `Http` port on httpx. `allow` names private hosts that may be reached (see `Allowed`)."""

    def __init__(self, allow: Sequence[str] = (), resolve: Resolve = resolve_by_system) -> None:
        self._backend = _CheckedBackend(Allowed(allow), resolve)
        self._client: httpx.AsyncClient | None = None

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def request(self, request: HttpRequest) -> HttpResponse:
        try:
            async with asyncio.timeout(request.timeout):
                return await self._follow(request)
        except TimeoutError as error:
            message = f"{_shown(request.url)} did not answer within {request.timeout:g} s."
            raise HttpFailed("timeout", message, retryable=True) from error

    async def _follow(self, request: HttpRequest) -> HttpResponse:
        for _ in range(MOST_REDIRECTS + 1):
            response = await self._once(request)
            target = response.headers.get("location")
            if not request.follow_redirects or response.status not in _REDIRECTS or target is None:
                return response
            request = _redirected(request, response.status, urljoin(request.url, target))
        message = f"More than {MOST_REDIRECTS} redirects, the last to {_shown(request.url)}."
        raise HttpFailed("redirects", message, retryable=False)

    async def _once(self, request: HttpRequest) -> HttpResponse:
        _check_url(request.url)
        try:
            async with self._open().stream(
                request.method, request.url, headers=dict(request.headers), content=request.content
            ) as answer:
                content = await _read(answer, request)
                return HttpResponse(answer.status_code, dict(answer.headers), content)
        except httpx.TimeoutException as error:
            raise HttpFailed("timeout", f"{_shown(request.url)} did not answer in time.", retryable=True) from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError, UnicodeError) as error:
            message = f"{_shown(request.url)} or one of the headers is not valid HTTP."
            raise HttpFailed("invalid_url", message, retryable=False) from error
        except httpx.HTTPError as error:
            message = f"No connection to {_shown(request.url)}: {type(error).__name__}."
            raise HttpFailed("connection", message, retryable=True) from error

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            transport = httpx.AsyncHTTPTransport(retries=0, limits=httpx.Limits(max_connections=1000))
            pool = httpcore.AsyncConnectionPool(
                ssl_context=httpx.create_ssl_context(),
                max_connections=1_000,
                max_keepalive_connections=200,
                keepalive_expiry=30.0,
                network_backend=self._backend,
            )
            transport._pool = pool  # noqa: SLF001 (httpx has no public way to give it a network backend)
            self._client = httpx.AsyncClient(transport=transport, timeout=None, trust_env=False)  # noqa: S113 (the deadline is over everything)
        return self._client


class _CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to addresses that passed the check, and to nothing else."""

    def __init__(self, allowed: Allowed, resolve: Resolve) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._sockets = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (the library's signature)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            addresses = await self._resolve(host, port)
        except OSError as error:
            raise httpcore.ConnectError(f"'{host}' has no address") from error
        for address in addresses:
            if not self._allowed.permits(host, port, parsed(address)):
                message = f"'{host}' is a private address, which workflows may not reach unless the operator allows it."
                raise HttpFailed("refused_address", message, retryable=False)
        return await self._first_open(addresses, port, timeout, local_address, socket_options)

    async def _first_open(
        self,
        addresses: Sequence[str],
        port: int,
        timeout: float | None,  # noqa: ASYNC109 (as above)
        local_address: str | None,
        socket_options: Iterable[Any] | None,
    ) -> httpcore.AsyncNetworkStream:
        failure: Exception = httpcore.ConnectError("no address")
        for address in addresses:
            try:
                return await self._sockets.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError as error:
                failure = error
        raise failure

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def _read(answer: httpx.Response, request: HttpRequest) -> bytes:
    pieces, size = [], 0
    async for piece in answer.aiter_bytes():
        size += len(piece)
        if size > request.max_bytes:
            message = f"The answer of {_shown(request.url)} is larger than {request.max_bytes:,} bytes."
            raise HttpFailed("too_large", message, retryable=False)
        pieces.append(piece)
    return b"".join(pieces)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise HttpFailed("invalid_url", "This is not a URL.", retryable=False) from error
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        message = "The URL must start with http:// or https:// and name a host."
        raise HttpFailed("invalid_url", message, retryable=False)


def _redirected(request: HttpRequest, status: int, url: str) -> HttpRequest:
    """The next request (RFC 9110 §15.4): 303, and 301 or 302 after a POST, become GET; credentials stay at home."""
    headers = dict(request.headers)
    if _origin(url) != _origin(request.url):
        headers = {name: value for name, value in headers.items() if name.lower() not in _CREDENTIALS}
    becomes_get = status == 303 or (status in (301, 302) and request.method == "POST")
    if becomes_get and request.method not in ("GET", "HEAD"):
        headers = {name: value for name, value in headers.items() if not name.lower().startswith("content-")}
        return replace(request, method="GET", url=url, headers=headers, content=b"")
    return replace(request, url=url, headers=headers)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _shown(url: str) -> str:
    """For messages: never the query or the user part, which may hold secrets."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"
