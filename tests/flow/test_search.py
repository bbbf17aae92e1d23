"""Executions are found by what they are, whatever the store; what cannot be asked for is refused in plain words."""

from typing import Any

import pytest

from linkflow.engine.results import await_result
from linkflow.engine.start import Start, start
from linkflow.stores.accounts import Accounts
from tests.flow.house import House

ORDERS = {
    "nodes": [
        {"id": "start", "type": "manual"},
        {"id": "big", "type": "condition", "config": {"expression": "{{ trigger.total > 100 }}"}},
        {"id": "call", "type": "http_request", "config": {"url": "http://127.0.0.1:9/nobody-listens"}},
        {"id": "done", "type": "no_op"},
    ],
    "edges": [
        {"source": "start", "target": "big"},
        {"source": "big", "target": "call", "branch": "true"},
        {"source": "big", "target": "done", "branch": "false"},
    ],
}
WAITING = {
    "nodes": [{"id": "start", "type": "manual"}, {"id": "nap", "type": "delay", "config": {"seconds": 3600}}],
    "edges": [{"source": "start", "target": "nap"}],
}


async def found(house: House, path: str = "", **filters: Any) -> Any:
    answer = await house.http.get(f"/api/v1/executions{path}", params=filters)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def ids(house: House, **filters: Any) -> set[str]:
    return {one["id"] for one in (await found(house, **filters))["data"]}


@pytest.fixture
async def shop(house: House) -> dict[str, str]:
    """Four executions of three kinds, by name."""
    workspace = (await Accounts(house.world.table).find(house.key)).workspace  # type: ignore[union-attr]
    orders, waiting = await house.create(ORDERS, "orders"), await house.create(WAITING, "waiting")
    engine = house.world.engine
    workflow = await engine.workflows.get(workspace, orders["id"])
    small = Start(
        workflow, {"total": 5}, name="Small ORDER", business_key="order-17", tags=("gold",), attributes={"total": 5}
    )
    large = Start(
        workflow,
        {"total": 500},
        name="Large order",
        business_key="order-18",
        tags=("gold", "eu"),
        attributes={"total": 500.0, "zip": "01234", "vip": True},
    )
    plain = Start(workflow, {"total": 1})
    named = {
        name: await start(engine, request) for name, request in (("small", small), ("large", large), ("plain", plain))
    }
    named["waiting"] = (await house.start(waiting["id"]))["id"]
    for name in ("small", "large", "plain"):
        assert await await_result(engine, workspace, named[name], 30) is not None
    return {**named, "orders": orders["id"]}


async def test_every_filter_finds_what_it_says(house: House, shop: dict[str, str]) -> None:
    small, large, plain, waiting = (shop[name] for name in ("small", "large", "plain", "waiting"))
    assert await ids(house) == {small, large, plain, waiting}
    assert await ids(house, status="failed") == {large}
    assert await ids(house, status=["failed", "running"]) == {large, waiting}
    assert await ids(house, workflow=shop["orders"]) == {small, large, plain}
    assert await ids(house, version=2) == set()
    assert await ids(house, business_key="order-17") == {small}
    assert await ids(house, business_key_prefix="order-") == {small, large}
    assert await ids(house, tag="gold") == {small, large}
    assert await ids(house, tag=["gold", "eu"]) == {large}
    assert await ids(house, attribute="total=5") == {small}
    assert await ids(house, attribute=["total>=5", "total<=100"]) == {small}
    assert await ids(house, attribute="vip=true") == {large}
    assert await ids(house, attribute='zip="01234"') == {large}
    assert await ids(house, attribute="zip=1234") == set()
    assert await ids(house, text="order LARGE") == {large}
    assert await ids(house, text=f" {plain.lower()} ") == {plain}
    failed = (await found(house, status="failed"))["data"][0]
    assert await ids(house, error=failed["error"]) == {large}
    assert await ids(house, started_from="2020-01-01T00:00:00Z", closed_to="2100-01-01") == {small, large, plain}
    assert await ids(house, started_to="2020-01-01T00:00:00Z") == set()
    assert await ids(house, min_duration=0, max_duration=3000) == {small, large, plain}
    assert await ids(house, trigger="map") == set()
    assert (failed["business_key"], failed["tags"], failed["attributes"]["zip"]) == (
        "order-18",
        ["gold", "eu"],
        "01234",
    )


async def test_sorted_pages_follow_one_another(house: House, shop: dict[str, str]) -> None:
    for sort in ("started_at", "-started_at", "duration", "-closed_at"):
        page, seen = await found(house, sort=sort, limit=1), []
        while True:
            seen += page["data"]
            if page["next_cursor"] is None:
                break
            page = await found(house, sort=sort, limit=1, cursor=page["next_cursor"])
        column = sort.removeprefix("-")
        assert len(seen) == (4 if column == "started_at" else 3)
        if column != "duration":
            moments = [one[column] for one in seen]
            assert moments == sorted(moments, reverse=sort.startswith("-"))


async def test_counts_and_statistics_tell_what_became_of_them(house: House, shop: dict[str, str]) -> None:
    assert await found(house, "/count") == {
        "total": 4,
        "counts": {"failed": 1, "running": 1, "succeeded": 2},
        "next_cursor": None,
    }
    assert (await found(house, "/count", tag="gold"))["counts"] == {"failed": 1, "succeeded": 1}
    told = await found(house, "/statistics", workflow=shop["orders"], bucket="day", nodes=10)
    (row,) = told["data"]
    assert (row["started"], row["closed"], row["success_rate"]) == (3, 3, 0.6667)
    assert 0 < row["seconds"]["p50"] <= row["seconds"]["p95"] <= row["seconds"]["p99"]
    assert told["sampled"] == 3
    nodes = {one["node"]: one for one in told["nodes"]}
    assert nodes["call"]["mean_ms"] > 0
    assert (nodes["big"]["count"], nodes["call"]["count"], nodes["call"]["failures"]) == (3, 1, 1)


async def test_filters_are_described_with_their_types(house: House) -> None:
    described = (await house.http.get("/openapi.json")).json()
    parameters = described["paths"]["/api/v1/executions"]["get"]["parameters"]
    types = {one["name"]: one["schema"] for one in parameters}
    assert "failed" in types["status"]["items"]["enum"]
    assert types["version"]["type"] == "integer"
    assert types["started_from"]["format"] == "date-time"
    assert types["sort"]["default"] == "-started_at"


async def test_another_workspace_sees_nothing(house: House, shop: dict[str, str]) -> None:
    key = await Accounts(house.world.table).issue("ws_other", "us_x", "key", 0, house.world.ids)
    house.http.headers["Authorization"] = f"Bearer {key}"
    assert await ids(house) == set()
    assert await ids(house, text=shop["small"]) == set()
    assert await ids(house, business_key="order-17") == set()
    assert (await found(house, "/count"))["total"] == 0
    assert (await found(house, "/statistics", nodes=5)) == {"data": [], "nodes": [], "sampled": 0, "next_cursor": None}


@pytest.mark.parametrize(
    ("filters", "path", "says"),
    [
        ({"colour": "red"}, "$.query.colour", "There is no filter 'colour', but: archived, attribute,"),
        ({"status": "done"}, "$.query.status", "succeeded"),
        ({"attribute": "total"}, "$.query.attribute", "not NAME=VALUE"),
        ({"workflow": ""}, "$.query.workflow", "at least 1 character"),
        ({"attribute": "total>=much"}, "$.query.attribute", "only numbers"),
        ({"started_from": "yesterday"}, "$.query.started_from", "datetime"),
        ({"started_from": "2026-02-01", "started_to": "2026-01-01"}, "$.query.started_from", "above started_to"),
        ({"min_duration": 5, "max_duration": 1}, "$.query.min_duration", "above max_duration"),
        ({"text": "…"}, "$.query.text", "no word"),
        ({"sort": "colour"}, "$.query.sort", "duration"),
        ({"cursor": "nonsense"}, "$.query.cursor", "next_cursor"),
        ({"limit": 0}, "$.query.limit", "greater than or equal to 1"),
        ({"version": "two"}, "$.query.version", "integer"),
    ],
)
async def test_nonsense_is_refused_with_a_word_about_what_to_send(
    house: House, filters: dict[str, Any], path: str, says: str
) -> None:
    answer = await house.http.get("/api/v1/executions", params=filters)
    assert answer.status_code == 422, answer.text
    (fault,) = answer.json()["error"]["details"]
    assert fault["path"].startswith(path)
    assert says in fault["message"]
