"""Outbound HTTP for nodes, guarded (PLATFORMS §5).

The name is resolved here, every address it has is checked, and the connection goes to a checked address: nothing is
resolved a second time, so a name cannot change its mind in between. Host header, TLS server name and certificate stay
those of the name. Redirects are followed by hand, each checked like the first request.

httpx writes the request, its connection pool (httpcore) carries it. `httpx.AsyncClient` stays out: it keeps the cookies
of every answer and would show those of one workspace's request to the next; it also costs more CPU than the pool.
"""

import asyncio
import base64
import socket
import zlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote_to_bytes

import httpcore
import httpx

from linkflow.adapters.addresses import Allowed, parsed
from linkflow.ports import HttpFailed, HttpRequest, HttpResponse

MOST_REDIRECTS = 10
_BOUND_TO_ORIGIN = frozenset({"authorization", "cookie", "host", "proxy-authorization", "x-api-key"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_DEFAULTS = {"Accept": "*/*", "Accept-Encoding": "gzip", "User-Agent": "LinkFlow"}
_GZIP_ONLY = 31
"""zlib's `wbits` for gzip with its header and checksum."""

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host, as text. Raises `OSError` when it has none."""


async def resolve_by_system(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class GuardedHttp:
    """The `Http` port on httpx. `allow` names private hosts that may be reached (see `Allowed`)."""

    def __init__(self, allow: Sequence[str] = (), resolve: Resolve = resolve_by_system) -> None:
        self._backend = _CheckedBackend(Allowed(allow), resolve)
        self._pool: httpcore.AsyncConnectionPool | None = None

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.aclose()

    async def request(self, request: HttpRequest) -> HttpResponse:
        try:
            async with asyncio.timeout(request.timeout):
                return await self._follow(_signed(request))
        except TimeoutError as error:
            message = f"{_shown(request.url)} did not answer within {request.timeout:g} s."
            raise HttpFailed("timeout", message, retryable=True) from error

    async def _follow(self, request: HttpRequest) -> HttpResponse:
        for _ in range(MOST_REDIRECTS + 1):
            response = await self._once(request)
            target = response.headers.get("location")
            if not request.follow_redirects or response.status not in _REDIRECTS or target is None:
                return response
            request = _redirected(request, response.status, target)
        message = f"More than {MOST_REDIRECTS} redirects, the last to {_shown(request.url)}."
        raise HttpFailed("redirects", message, retryable=False)

    async def _once(self, request: HttpRequest) -> HttpResponse:
        url = _web_address(request.url)
        with _Failures(request.url):
            headers = httpx.Headers(_DEFAULTS)
            headers.update(request.headers)
            made = httpx.Request(request.method, url, headers=headers, content=request.content)
            target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
            async with self._open().stream(
                made.method, target, headers=made.headers.raw, content=request.content
            ) as answer:
                got = httpx.Headers(answer.headers)
                content = await _read(answer, got, request)
                return HttpResponse(answer.status, dict(got), content)

    def _open(self) -> httpcore.AsyncConnectionPool:
        if self._pool is None:
            self._pool = httpcore.AsyncConnectionPool(
                ssl_context=httpx.create_ssl_context(),
                max_connections=1_000,
                max_keepalive_connections=200,
                keepalive_expiry=30.0,
                network_backend=self._backend,
            )
        return self._pool


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


class _Failures:
    """What the library raises while it talks to `url`, as `HttpFailed`."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        match error:
            case httpcore.TimeoutException():
                message = f"{_shown(self._url)} did not answer in time."
                raise HttpFailed("timeout", message, retryable=True) from error
            case httpcore.LocalProtocolError() | httpcore.UnsupportedProtocol() | UnicodeError():
                # The library quotes the header it refuses, which may be a secret: its error is not shown.
                message = f"{_shown(self._url)} or one of the headers is not valid HTTP."
                raise HttpFailed("invalid_url", message, retryable=False) from None
            case httpcore.NetworkError() | httpcore.ProtocolError() | zlib.error():
                message = f"No whole answer from {_shown(self._url)}: {type(error).__name__}."
                raise HttpFailed("connection", message, retryable=True) from error
            case _:
                return


async def _read(answer: httpcore.Response, headers: httpx.Headers, request: HttpRequest) -> bytes:
    """The content, unzipped no further than the limit: a few kilobytes can hold gigabytes of zeros."""
    zipped = headers.get("content-encoding", "").strip().lower() in ("gzip", "x-gzip")
    unzip = zlib.decompressobj(_GZIP_ONLY) if zipped else None
    pieces, size = [], 0
    async for received in answer.aiter_stream():
        if unzip and unzip.eof:
            raise zlib.error("the content goes on behind its end")
        piece = unzip.decompress(received, request.max_bytes - size + 1) if unzip else received
        size += len(piece)
        if size > request.max_bytes:
            message = f"The answer of {_shown(request.url)} is larger than {request.max_bytes:,} bytes."
            raise HttpFailed("too_large", message, retryable=False)
        pieces.append(piece)
    if unzip and pieces and not unzip.eof:
        raise zlib.error("the content ends too early")
    return b"".join(pieces)


def _web_address(url: str) -> httpx.URL:
    """Raises `HttpFailed`; the parser's own words may quote a password, so they are not passed on."""
    try:
        made = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        raise HttpFailed("invalid_url", "This is not a URL.", retryable=False) from None
    # The parser lets any port number pass, and quotes by `%` what cannot be in the name of a host.
    possible = made.host and "%" not in made.host and (made.port is None or 0 < made.port < 65_536)
    if made.scheme not in ("http", "https") or not possible:
        message = "The URL must start with http:// or https:// and name a host."
        raise HttpFailed("invalid_url", message, retryable=False)
    return made


def _signed(request: HttpRequest) -> HttpRequest:
    """A URL's user part becomes the Authorization header (RFC 7617), unless there is one."""
    url = _web_address(request.url)
    if not url.userinfo:
        return request
    headers = dict(request.headers)
    if not any(name.lower() == "authorization" for name in headers):
        user, _, password = url.userinfo.partition(b":")
        pair = unquote_to_bytes(user) + b":" + unquote_to_bytes(password)
        headers["Authorization"] = "Basic " + base64.b64encode(pair).decode("ascii")
    return replace(request, url=str(url.copy_with(userinfo=b"")), headers=headers)


def _redirected(request: HttpRequest, status: int, target: str) -> HttpRequest:
    """The next request (RFC 9110 §15.4): 303, and 301 or 302 after a POST, become GET; credentials stay at home."""
    here = _web_address(request.url)
    try:
        there = _web_address(str(here.join(target)))
    except httpx.InvalidURL:
        message = f"{_shown(request.url)} redirects to something that is not a URL."
        raise HttpFailed("invalid_url", message, retryable=False) from None
    headers = dict(request.headers)
    if _origin(there) != _origin(here):
        headers = {name: value for name, value in headers.items() if name.lower() not in _BOUND_TO_ORIGIN}
    method = request.method.upper()
    becomes_get = status == 303 or (status in (301, 302) and method == "POST")
    if becomes_get and method not in ("GET", "HEAD"):
        headers = {name: value for name, value in headers.items() if not name.lower().startswith("content-")}
        return replace(request, method="GET", url=str(there), headers=headers, content=b"")
    return replace(request, url=str(there), headers=headers)


def _origin(url: httpx.URL) -> tuple[bytes, bytes, int | None]:
    return url.raw_scheme, url.raw_host, url.port


def _shown(url: str) -> str:
    """For messages: never the query or the user part, which may hold secrets."""
    try:
        made = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        return "The URL"
    return str(made.copy_with(userinfo=b"", query=None, fragment=None))
