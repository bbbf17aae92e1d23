"""Outbound HTTP: what it refuses to reach, and how it treats redirects, sizes and time."""

import asyncio
import base64
import datetime as dt
import gzip
import ssl
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from linkflow.adapters.addresses import Allowed, parsed
from linkflow.adapters.http import GuardedHttp
from linkflow.ports import HttpFailed, HttpRequest

Answer = Callable[[str], bytes]


@asynccontextmanager
async def listening(
    answer: Answer, *, hold: float = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[int, list[str]]]:
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

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
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
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "168.63.129.16",
        "192.0.0.192",
        "192.88.99.1",
        "100.100.100.200",
        "::ffff:192.0.0.192",
        "fec0::1",
        "3fff::1",
        "2001:0:7f00:1::",
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


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822", "::ffff:93.184.216.34"]
)
def test_a_public_address_may_be_reached_in_every_spelling(address: str) -> None:
    assert Allowed([]).permits("any.example", 443, parsed(address))


def test_an_ipv6_host_is_allowed_at_the_port_that_was_named_only() -> None:
    assert Allowed(["[::1]:9000"]).permits("::1", 9000, parsed("::1"))
    assert not Allowed(["[::1]:9000"]).permits("::1", 9001, parsed("::1"))


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


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "http://",
        "nonsense",
        "http://[::1",
        "",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:99999/",
        "http://a b/",
        "http://x:secret/",
    ],
)
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


async def test_cookies_of_one_request_are_not_shown_to_the_server_by_the_next() -> None:
    async with listening(lambda _: ok(headers="Set-Cookie: session=theirs; Path=/\r\n")) as (port, heads):
        http = GuardedHttp(["127.0.0.1"])
        for _ in range(2):
            await http.request(HttpRequest("GET", f"http://127.0.0.1:{port}/"))
        await http.close()
    assert len(heads) == 2
    assert "cookie" not in heads[1].lower()


@pytest.mark.parametrize(
    "target", ["http://[::1", "http://a:99999/", "//[", "ftp://x/", "http://u:secret@[z/?q=secret"]
)
async def test_a_redirect_to_nonsense_is_a_failure_that_names_no_secret(target: str) -> None:
    async with listening(lambda _: ok(status="302 Found", headers=f"Location: {target}\r\n")) as (port, _):
        failed = await refusal(GuardedHttp(["127.0.0.1"]), f"http://127.0.0.1:{port}/")
    assert failed.code == "invalid_url"
    assert "secret" not in failed.message


async def test_a_host_header_of_the_callers_own_stays_at_home_too() -> None:
    async with listening(lambda _: ok()) as (there, seen):
        moved = ok(status="307 Temporary Redirect", headers=f"Location: http://127.0.0.1:{there}/\r\n")
        async with listening(lambda _: moved) as (here, _):
            http = GuardedHttp(["127.0.0.1"])
            await http.request(HttpRequest("PUT", f"http://127.0.0.1:{here}/", {"Host": "inner.example"}, b"body"))
            await http.close()
    assert seen[0].startswith("PUT / ")
    assert f"Host: 127.0.0.1:{there}" in seen[0]


async def test_the_user_part_of_a_url_is_sent_as_credentials_to_its_own_origin_only() -> None:
    async with listening(lambda _: ok()) as (there, seen):
        moved = ok(status="302 Found", headers=f"Location: http://127.0.0.1:{there}/\r\n")
        async with listening(lambda _: moved) as (here, asked):
            http = GuardedHttp(["127.0.0.1"])
            await http.request(HttpRequest("GET", f"http://me:p%40ss@127.0.0.1:{here}/"))
            await http.close()
    assert f"Authorization: Basic {base64.b64encode(b'me:p@ss').decode()}" in asked[0]
    assert "authorization" not in seen[0].lower()


def zipped(content: bytes) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content


async def test_a_zipped_answer_is_opened() -> None:
    async with listening(lambda _: zipped(gzip.compress(b"fine" * 1000, mtime=0))) as (port, _):
        http = GuardedHttp(["127.0.0.1"])
        answer = await http.request(HttpRequest("GET", f"http://127.0.0.1:{port}/", max_bytes=4000))
        await http.close()
    assert answer.content == b"fine" * 1000


async def test_a_small_answer_that_unzips_to_a_huge_one_is_refused_before_it_takes_memory() -> None:
    bomb = gzip.compress(bytes(30_000_000))
    async with listening(lambda _: zipped(bomb)) as (port, _):
        http = GuardedHttp(["127.0.0.1"])
        tracemalloc.start()
        with pytest.raises(HttpFailed) as caught:
            await http.request(HttpRequest("GET", f"http://127.0.0.1:{port}/", max_bytes=1_000))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        await http.close()
    assert caught.value.code == "too_large"
    assert peak < 5_000_000


@pytest.mark.parametrize(
    "content", [gzip.compress(b"fine", mtime=0)[:-3], b"not zipped", gzip.compress(b"fine", mtime=0)[:-8] + b"\0" * 8]
)
async def test_a_damaged_zipped_answer_is_no_answer(content: bytes) -> None:
    async with listening(lambda _: zipped(content)) as (port, _):
        failed = await refusal(GuardedHttp(["127.0.0.1"]), f"http://127.0.0.1:{port}/")
    assert (failed.code, failed.retryable) == ("connection", True)


async def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with listening(lambda _: ok()) as (port, _):
        http = GuardedHttp(["127.0.0.1"])
        answer = await http.request(HttpRequest("GET", f"http://127.0.0.1:{port}/"))
        await http.close()
    assert answer.status == 200


async def test_the_certificate_is_checked_against_the_name_although_an_address_is_connected_to(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificate = certified("shop.example", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    asked: list[str | None] = []
    server.sni_callback = lambda _socket, name, _context: asked.append(name)
    async with listening(lambda _: ok(), tls=server) as (port, _):
        http = GuardedHttp(["127.0.0.1"], resolving("127.0.0.1"))
        answer = await http.request(HttpRequest("GET", f"https://shop.example:{port}/"))
        failed = await refusal(http, f"https://other.example:{port}/")
    assert answer.content == b"fine"
    assert (failed.code, asked) == ("connection", ["shop.example", "other.example"])


def certified(name: str, directory: Path) -> Path:
    """A file with a key and a certificate for `name` that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start.replace(year=2120))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = directory / "certificate.pem"
    file.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    return file
