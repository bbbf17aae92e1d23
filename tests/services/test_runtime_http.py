"""The site: what is true of every request, whatever the service."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Annotated

import httpx
import pytest
from aws_lambda_powertools.event_handler import Response
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import Field

from linkflow.adapters.clock import VirtualClock
from linkflow.adapters.ids import SeededIds
from linkflow.errors import Conflict, Forbidden, RateLimited, Throttled, Unauthenticated
from linkflow.runtime.calls import Call, current_call
from linkflow.runtime.http import Site
from linkflow.runtime.routes import Routes, Schema

LIMIT = 64 * 1024


class Part(Schema):
    weight: int


class Thing(Schema):
    name: Annotated[str, Field(min_length=1)]
    parts: tuple[Part, ...] = ()


class Wish(Schema):
    reason: str = "none"


class Made(Schema):
    name: str
    pieces: int


async def only_alice(call: Call) -> object:
    if call.headers.get("authorization") != "Bearer alice":
        raise Unauthenticated
    call.answer_headers["X-RateLimit-Remaining"] = "7"
    return "alice"


def things() -> Routes:
    routes = Routes(only_alice)

    @routes.post("/things/<kind>", tags=["things"], status_code=201, summary="Make a thing")
    async def make(kind: str, body: Thing, dry: bool = False) -> Made:
        return Made(name=f"{kind} {body.name}{' (dry)' if dry else ''}", pieces=len(body.parts))

    @routes.delete("/things/<kind>", tags=["things"], status_code=204)
    async def remove(kind: str) -> None:
        return None

    @routes.post("/things/<kind>/wish", tags=["things"])
    async def wish(kind: str, body: Wish) -> dict[str, str]:
        return {"wish": body.reason}

    @routes.get("/me", tags=["things"])
    async def me() -> dict[str, object]:
        return {"caller": current_call().caller}

    return routes


def troubles(release: asyncio.Event) -> Routes:
    routes = Routes()

    @routes.get("/trouble/<kind>")
    async def trouble(kind: str) -> None:
        raise {
            "conflict": Conflict("It is locked."),
            "forbidden": Forbidden("thing.make"),
            "rate": RateLimited("requests", 3),
            "throttled": Throttled("The table"),
            "bug": RuntimeError("the password is hunter2"),
        }[kind]

    @routes.get("/wait")
    async def wait() -> dict[str, str]:
        await release.wait()
        return {"waited": "yes"}

    @routes.post("/raw")
    async def raw() -> Response[bytes]:
        return Response(200, "application/octet-stream", current_call().body[::-1])

    return routes


@pytest.fixture
def release() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
async def http(release: asyncio.Event) -> AsyncIterator[httpx.AsyncClient]:
    site = Site(
        [things(), troubles(release)], SeededIds(1, VirtualClock()), max_body=LIMIT, origins=["https://ui.test"]
    )
    headers = {"Authorization": "Bearer alice"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(site), base_url="http://test", headers=headers
    ) as client:
        yield client


async def test_a_good_request_is_parsed_typed_and_answered(http: httpx.AsyncClient) -> None:
    answer = await http.post("/things/red?dry=true", json={"name": "box", "parts": [{"weight": 1}]})
    assert (answer.status_code, answer.json()) == (201, {"name": "red box (dry)", "pieces": 1})


async def test_every_fault_is_told_at_once_with_its_path(http: httpx.AsyncClient) -> None:
    answer = await http.post("/things/red?dry=maybe", json={"name": "", "colour": 1, "parts": [{"weight": 1}, {}]})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "invalid")
    assert {(fault["path"], fault["code"]) for fault in error["details"]} == {
        ("$.query.dry", "bool_parsing"),
        ("$.body.name", "string_too_short"),
        ("$.body.colour", "extra_forbidden"),
        ("$.body.parts[1].weight", "missing"),
    }


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"name": ', 400, "malformed_request"),
        (b'{"name": "\xff"}', 400, "malformed_request"),
        (b"[" * (LIMIT - 1), 400, "malformed_request"),
        (b'{"a":' * (LIMIT // 6), 400, "malformed_request"),
        (b'{"name":' * 300 + b"1" + b"}" * 300, 400, "malformed_request"),
        (b'{"name": NaN}', 400, "malformed_request"),
        (rb'{"name": "\ud800"}', 400, "malformed_request"),
        (b'[{"name": "box"}]', 422, "invalid"),
        (b"null", 422, "invalid"),
        (b"", 422, "invalid"),
        (b'{"name": "' + b"x" * LIMIT + b'"}', 413, "too_large"),
    ],
)
async def test_a_body_that_is_no_thing_is_refused_in_the_one_shape(
    http: httpx.AsyncClient, body: bytes, status: int, code: str
) -> None:
    answer = await http.post("/things/red", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert set(answer.json()["error"]) == {"code", "message", "details", "request_id"}


async def test_a_body_of_five_megabytes_is_refused_before_it_was_read_to_its_end(http: httpx.AsyncClient) -> None:
    sent = 0

    async def flood() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 5_000_000:
            sent += 10_000
            yield b"x" * 10_000

    answer = await http.post("/raw", content=flood(), headers={"Content-Type": "text/plain"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert sent < 5_000_000


async def test_other_kinds_of_json_are_json_and_other_content_is_named_unsupported(http: httpx.AsyncClient) -> None:
    body = b'{"name": "box"}'
    events = await http.post("/things/red", content=body, headers={"Content-Type": "application/cloudevents+json"})
    assert events.status_code == 201
    form = await http.post("/things/red", content=body, headers={"Content-Type": "image/png"})
    assert (form.status_code, form.json()["error"]["code"]) == (415, "unsupported_media_type")


async def test_unknown_paths_are_404_and_wrong_methods_405(http: httpx.AsyncClient) -> None:
    nothing = await http.get("/nothing")
    assert (nothing.status_code, nothing.json()["error"]["code"]) == (404, "not_found")
    wrong = await http.put("/things/red", json={})
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "DELETE, POST")
    assert wrong.json()["error"]["code"] == "method_not_allowed"


async def test_the_guard_comes_before_the_checking_of_the_body(http: httpx.AsyncClient) -> None:
    answer = await http.post("/things/red", content=b"{", headers={"Authorization": "Bearer mallory"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_the_handler_knows_the_caller_and_the_answer_the_guards_headers(http: httpx.AsyncClient) -> None:
    answer = await http.get("/me")
    assert answer.json() == {"caller": "alice"}
    assert answer.headers["X-RateLimit-Remaining"] == "7"


@pytest.mark.parametrize(
    ("kind", "status", "code", "retry_after"),
    [
        ("conflict", 409, "conflict", None),
        ("forbidden", 403, "forbidden", None),
        ("rate", 429, "rate_limited", "3"),
        ("throttled", 503, "throttled", "1"),
    ],
)
async def test_an_error_of_ours_says_whose_move_it_is(
    http: httpx.AsyncClient, kind: str, status: int, code: str, retry_after: str | None
) -> None:
    answer = await http.get(f"/trouble/{kind}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.headers.get("Retry-After") == retry_after


async def test_a_bug_is_logged_with_the_request_id_and_nothing_of_it_leaks(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = await http.get("/trouble/bug", headers={"X-Request-Id": "mine-1"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal_error")
    assert "hunter2" not in answer.text
    (line,) = caplog.records
    assert (
        vars(line)["request_id"] == answer.json()["error"]["request_id"] == answer.headers["X-Request-Id"] == "mine-1"
    )
    assert "hunter2" in (line.exc_text or str(line.exc_info))


async def test_a_request_without_a_usable_id_is_given_one(http: httpx.AsyncClient) -> None:
    answer = await http.get("/me", headers={"X-Request-Id": 'forged" id'})
    assert answer.headers["X-Request-Id"].startswith("req_")


async def test_bytes_that_are_no_text_reach_the_handler_as_they_are(http: httpx.AsyncClient) -> None:
    answer = await http.post("/raw", content=bytes(range(256)), headers={"Content-Type": "application/octet-stream"})
    assert answer.content == bytes(range(256))[::-1]


async def test_no_content_has_no_body_and_head_is_get_without_one(http: httpx.AsyncClient) -> None:
    gone = await http.delete("/things/red")
    assert (gone.status_code, gone.content) == (204, b"")
    head = await http.head("/me")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len((await http.get("/me")).content))


async def test_headers_that_are_no_text_are_refused(http: httpx.AsyncClient) -> None:
    answer = await http.get("/me", headers=[(b"X-Odd", b"\xff\xfe")])
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "malformed_request")


async def test_a_browser_of_an_allowed_origin_may_call(http: httpx.AsyncClient) -> None:
    answer = await http.get("/me", headers={"Origin": "https://ui.test"})
    assert answer.headers["Access-Control-Allow-Origin"] == "https://ui.test"
    asked = await http.options("/me", headers={"Origin": "https://ui.test", "Access-Control-Request-Method": "GET"})
    assert asked.status_code == 204
    assert "GET" in asked.headers["Access-Control-Allow-Methods"]


async def test_two_hundred_waiting_requests_hold_up_nobody(http: httpx.AsyncClient, release: asyncio.Event) -> None:
    waiting = [asyncio.create_task(http.get("/wait")) for _ in range(200)]
    await asyncio.sleep(0)
    assert (await http.get("/me")).status_code == 200
    assert not any(task.done() for task in waiting)
    release.set()
    assert [answer.status_code for answer in await asyncio.gather(*waiting)] == [200] * 200


async def test_each_of_many_requests_at_once_keeps_its_own_caller_and_id(http: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(http.get("/me", headers={"X-Request-Id": f"id-{n}"}) for n in range(100)))
    assert [answer.headers["X-Request-Id"] for answer in answers] == [f"id-{n}" for n in range(100)]


async def test_the_api_describes_itself_in_valid_openapi(http: httpx.AsyncClient) -> None:
    described = (await http.get("/openapi.json")).json()
    OpenAPIV31SpecValidator(described).validate()
    make = described["paths"]["/things/{kind}"]["post"]
    assert described["openapi"].startswith("3.1")
    assert make["security"] == [{"bearer": []}]
    assert make["tags"] == ["things"]
    assert "security" not in described["paths"]["/wait"]["get"]
    assert make["responses"]["default"]["content"]["application/json"]["schema"]["$ref"].endswith("/Error")
    assert "201" in make["responses"]
    assert make["requestBody"]["required"]
    assert not described["paths"]["/things/{kind}/wish"]["post"]["requestBody"]["required"]


async def test_the_docs_page_needs_no_internet(http: httpx.AsyncClient) -> None:
    page = await http.get("/docs")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "SwaggerUIBundle" in page.text
    assert 'src="http' not in page.text
    assert "src='http" not in page.text
