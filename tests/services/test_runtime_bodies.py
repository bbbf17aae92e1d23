"""Bodies that are not there, going out and coming in, and those that are told apart from JSON."""

from collections.abc import MutableMapping
from typing import Any

import httpx
import pytest

from linkflow.adapters.clock import VirtualClock
from linkflow.adapters.ids import SeededIds
from linkflow.errors import Malformed
from linkflow.runtime.hosts.gateway import answer
from linkflow.runtime.http import Site
from linkflow.runtime.routes import Routes, Schema, read_json


class Wish(Schema):
    reason: str = "none"


class Need(Schema):
    name: str


def site() -> Site:
    routes = Routes()

    @routes.delete("/things/<kind>", status_code=204)
    async def remove(kind: str) -> None:
        return None

    @routes.post("/wish")
    async def wish(body: Wish) -> dict[str, str]:
        return {"wish": body.reason}

    @routes.post("/need")
    async def need(body: Need) -> dict[str, str]:
        return {"name": body.name}

    return Site([routes], SeededIds(1, VirtualClock()), max_body=1_000)


async def test_what_has_no_content_goes_out_as_bytes_for_servers_measure_them() -> None:
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    await site()({"type": "http", "method": "DELETE", "path": "/things/red", "headers": []}, receive, send)
    assert (sent[0]["status"], sent[1]["body"]) == (204, b"")


async def test_what_has_no_content_passes_the_gateway() -> None:
    event = {"httpMethod": "DELETE", "path": "/things/red", "requestContext": {}}
    told = await answer(site(), event)
    assert (told["statusCode"], told["body"]) == (204, "")


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "application/json"}])
async def test_an_absent_body_is_an_empty_object_where_it_asks_for_nothing(headers: dict[str, str]) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site()), base_url="http://test") as http:
        wished = await http.post("/wish", headers=headers)
        assert (wished.status_code, wished.json()) == (200, {"wish": "none"})
        needed = await http.post("/need", headers=headers)
        assert needed.status_code == 422
        assert [fault["path"] for fault in needed.json()["error"]["details"]] == ["$.body"]


@pytest.mark.parametrize("half", [r"a\ud800b", r"\udc00", r"\uD800\uD800", r"\ud83d\ude00\ude00", r"\\\ud800"])
def test_half_a_character_is_called_so(half: str) -> None:
    with pytest.raises(Malformed, match="half a character"):
        read_json(b'{"input": "%s"}' % half.encode())


def test_whole_characters_and_what_only_looks_like_half_of_one_are_read() -> None:
    assert read_json(rb'["\ud83d\ude00", "\\ud800"]') == ["\U0001f600", r"\ud800"]
    with pytest.raises(Malformed, match="is not JSON"):
        read_json(rb'["\ud83d\ude00", "\\ud800"')
