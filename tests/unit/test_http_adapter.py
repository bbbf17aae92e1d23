"""Outbound HTTP: what it refuses to reach, and how it treats redirects, sizes and time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from linkflow.adapters.addresses import Allowed, parsed
from linkflow.adapters.http import GuardedHttp
from linkflow.ports import HttpFailed, HttpRequest

Answer = Callable[[str], bytes]


@asynccontextmanager
async def listening(answer: Answer, *, hold: float = 0) -> AsyncIterator[tuple[int, list[str]]]:
    """A server that answers each request's head by `answer`; gives its port and the heads it saw."""
    heads: list[str] = []
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = [line for line in head.lower().split("\r\n") if line.startswith("content-length:")]
                await reader.readexactly(int(length[0].split(":")[1]) if length else 0)
                heads.append(head)
                await asyncio.sleep(hold)
                writer.write(answer(head))
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # the client has gone
        finally:
            writer.close()
            ended.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], heads
    finally:
        server.close()
        if heads:
            await ended.wait()


def ok(body: str = "fine", status: str = "200 OK", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n{body}".encode()


def resolving(*addresses: str) -> Callable[[str, int], Awaitable[Sequence[str]]]:
    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses

    return resolve


async def refusal(http: GuardedHttp, url: str) -> HttpFailed:
    with pytest.raises(HttpFailed) as caught:
        await http.request(HttpRequest("GET", url, timeout=2))
    await http.close()
    return caught.value


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 (an address that must be refused)
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "2002:7f00:1::",
        "64:ff9b::a00:1",
        "64:ff9b::7f00:1",
    ],
)
async def test_a_name_that_leads_to_a_private_address_is_refused_even_beside_a_public_one(address: str) -> None:
    failed = await refusal(GuardedHttp(resolve=resolving("93.184.216.34", address)), "http://innocent.example/")
    assert (failed.code, failed.retryable) == ("refused_address", False)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "017700000001", "[::1]", "localhost"]
)
async def test_every_spelling_of_this_machine_is_refused(host: str) -> None:
    assert (await refusal(GuardedHttp(), f"http://{host}:9/")).code == "refused_address"


@pytest.mark.parametrize("entry", ["inner.example", "inner.example:80", "10.0.0.0/8", "10.0.0.1"])
def test_what_the_operator_allows_may_be_reached(entry: str) -> None:
    assert Allowed([entry]).permits("inner.example", 80, parsed("10.0.0.1"))
    assert not Allowed([entry]).permits("other.example", 81, parsed("192.168.0.1"))


async def test_the_address_that_was_checked_is_the_one_that_is_connected_to_and_the_name_stays_in_the_host_header() -> (
    None
):
    answers = iter([["127.0.0.1"], ["10.9.9.9"]])

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return next(answers)

    async with listening(lambda _: ok()) as (port, heads):
        http = GuardedHttp(["127.0.0.0/8"], resolve)
        answer = await http.request(HttpRequest("GET", f"http://shop.example:{port}/x"))
        await http.close()
    assert answer.content == b"fine"
    assert f"Host: shop.example:{port}" in heads[0]


async def test_a_redirect_to_a_private_address_is_refused() -> None:
    async with listening(lambda _: ok(status="302 Found", headers="Location: http://10.0.0.1/\r\n")) as (port, _):
        failed = await refusal(GuardedHttp([f"127.0.0.1:{port}"]), f"http://127.0.0.1:{port}/")
    assert failed.code == "refused_address"


async def test_credentials_stay_at_home_and_a_post_becomes_a_get_when_redirected_elsewhere() -> None:
    async with listening(lambda _: ok()) as (there, seen):
        moved = ok(status="303 See Other", headers=f"Location: http://127.0.0.1:{there}/new\r\n")
        async with listening(lambda _: moved) as (here, _):
            http = GuardedHttp(["127.0.0.1"])
            secret = {"Authorization": "Bearer secret", "Cookie": "a=b", "X-Kept": "yes"}
            await http.request(HttpRequest("POST", f"http://127.0.0.1:{here}/", secret, b"body"))
            await http.close()
    assert seen[0].startswith("GET /new ")
    assert "secret" not in seen[0]
    assert "a=b" not in seen[0]
    assert "X-Kept: yes" in seen[0]


async def test_redirects_end() -> None:
    async with listening(lambda _: ok(status="302 Found", headers="Location: /again\r\n")) as (port, heads):
        failed = await refusal(GuardedHttp(["127.0.0.1"]), f"http://127.0.0.1:{port}/")
    assert failed.code == "redirects"
    assert len(heads) == 11


async def test_an_answer_over_the_limit_is_not_read_to_its_end() -> None:
    async with listening(lambda _: ok("x" * 5_000)) as (port, _):
        http = GuardedHttp(["127.0.0.1"])
        with pytest.raises(HttpFailed) as caught:
            await http.request(HttpRequest("GET", f"http://127.0.0.1:{port}/", max_bytes=1_000))
        await http.close()
    assert caught.value.code == "too_large"


async def test_a_server_that_is_silent_too_long_is_a_timeout_worth_a_retry() -> None:
    async with listening(lambda _: ok(), hold=5) as (port, _):
        http = GuardedHttp(["127.0.0.1"])
        with pytest.raises(HttpFailed) as caught:
            await http.request(HttpRequest("GET", f"http://127.0.0.1:{port}/?token=secret", timeout=0.05))
        await http.close()
    assert (caught.value.code, caught.value.retryable) == ("timeout", True)
    assert "secret" not in caught.value.message


async def test_nobody_listening_is_a_failed_connection_that_names_no_secret() -> None:
    async with listening(lambda _: ok()) as (port, _):
        pass
    failed = await refusal(GuardedHttp(["127.0.0.1"]), f"http://me:secret@127.0.0.1:{port}/x?key=secret")
    assert (failed.code, failed.retryable) == ("connection", True)
    assert "secret" not in failed.message


@pytest.mark.parametrize("url", ["ftp://example.com/", "file:///etc/passwd", "http://", "nonsense", "http://[::1", ""])
async def test_what_is_no_web_address_is_refused(url: str) -> None:
    assert (await refusal(GuardedHttp(), url)).code == "invalid_url"


async def test_connections_are_kept_and_used_again() -> None:
    opened = []

    async def resolve(host: str, _port: int) -> Sequence[str]:
        opened.append(host)
        return ["127.0.0.1"]

    async with listening(lambda _: ok()) as (port, heads):
        http = GuardedHttp(["127.0.0.1"], resolve)
        for _ in range(5):
            await http.request(HttpRequest("GET", f"http://127.0.0.1:{port}/"))
        await http.close()
    assert (len(heads), len(opened)) == (5, 1)
