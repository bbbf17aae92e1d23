"""Operations on many executions: in the background, with progress, called off, repeated."""

import asyncio
from typing import Any

import pytest

from tests.flow.house import House
from tests.flow.outside import Outside
from tests.unit.graphs import graph, node


async def operation(house: House, action: str, wanted: Any = None, key: str = "", **more: Any) -> Any:
    body = {"action": action, "filter": wanted or {}, **more}
    headers = {"Idempotency-Key": key} if key else {}
    answer = await house.http.post("/api/v1/bulk-operations", json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    return answer.json()


async def over(house: House, identifier: str) -> Any:
    for _ in range(400):
        found = (await house.http.get(f"/api/v1/bulk-operations/{identifier}")).json()
        if found["status"] != "running":
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(found)


async def waiting(house: House, count: int, name: str = "waiting") -> tuple[str, list[str]]:
    """A workflow and its executions, which wait for a long time."""
    workflow = await house.create(graph([node("w", "delay", {"seconds": 86_400})]), name)
    body = {"executions": [{"input": n} for n in range(count)]}
    started = await house.http.post(f"/api/v1/workflows/{workflow['id']}/execute/batch", json=body)
    return workflow["id"], [one["id"] for one in started.json()["data"]]


async def statuses(house: House, executions: list[str]) -> set[str]:
    return {(await house.closed(one))["status"] for one in executions}


@pytest.mark.parametrize(("action", "status"), [("cancel", "cancelled"), ("terminate", "terminated")])
async def test_all_that_a_filter_finds_are_ended_and_no_others(house: House, action: str, status: str) -> None:
    workflow, mine = await waiting(house, 60)
    _, others = await waiting(house, 2, "others")
    begun = await operation(house, action, {"workflow": workflow}, reason="too many")
    done = await over(house, begun["id"])
    assert (done["status"], done["done"], done["failed"]) == ("done", 60, 0)
    assert await statuses(house, mine[:3] + mine[-3:]) == {status}
    assert {(await house.execution(one))["status"] for one in others} == {"running"}
    listed = (await house.http.get("/api/v1/bulk-operations")).json()["data"]
    assert [one["id"] for one in listed] == [begun["id"]]


async def test_what_failed_is_taken_up_again_from_where_it_failed(house: House, outside: Outside) -> None:
    nodes = [
        node("first", "http_request", {"url": f"{outside.address}/ok"}),
        node("second", "http_request", {"url": f"{outside.address}/flaky/1"}),
    ]
    workflow = await house.create(graph(nodes, "first -> second"))
    failed = [await house.start(workflow["id"], wait=20) for _ in range(3)]
    assert {one["status"] for one in failed} == {"failed"}
    begun = await operation(house, "retry", {"workflow": workflow["id"], "error": "http_status"})
    done = await over(house, begun["id"])
    assert (done["status"], done["done"]) == ("done", 3)
    page = await house.http.get("/api/v1/executions", params={"limit": 50})
    again = [one["id"] for one in page.json()["data"] if one["id"] not in {old["id"] for old in failed}]
    assert len(again) == 3
    await statuses(house, again)
    assert outside.calls["/ok"] == 3
    repeated = await over(house, (await operation(house, "retry", {"workflow": workflow["id"]}))["id"])
    assert repeated["skipped"] >= 3


async def test_an_operation_asked_for_twice_with_one_key_is_one(house: House) -> None:
    workflow, _ = await waiting(house, 1)
    begun = [await operation(house, "cancel", {"workflow": workflow}, key="k") for _ in range(2)]
    assert begun[0]["id"] == begun[1]["id"]
    body = {"action": "terminate", "filter": {"workflow": workflow}}
    other = await house.http.post("/api/v1/bulk-operations", json=body, headers={"Idempotency-Key": "k"})
    assert other.status_code == 409


async def test_an_operation_that_is_called_off_stops(house: House) -> None:
    workflow, _ = await waiting(house, 300)
    begun = await operation(house, "cancel", {"workflow": workflow})
    called_off = await house.http.post(f"/api/v1/bulk-operations/{begun['id']}/cancel")
    assert called_off.status_code in (202, 409)
    end = await over(house, begun["id"])
    if called_off.status_code == 202:
        assert end["status"] == "cancelled"
        assert end["seen"] < 300
    again = await house.http.post(f"/api/v1/bulk-operations/{begun['id']}/cancel")
    assert again.status_code == called_off.status_code


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"action": "cancel", "filter": {}}, "$.body.filter"),
        ({"action": "cancel", "filter": {"status": ["failed"]}}, "$.body.filter.status"),
        ({"action": "retry", "filter": {"status": ["running"]}}, "$.body.filter.status"),
        ({"action": "cancel", "filter": {"text": "ex_01M8G4SVJE5ET1J520E9362985"}}, "$.body.filter"),
        ({"action": "cancel", "filter": {"attribute": ["zip"]}}, "$.body.filter.attribute"),
        ({"action": "redrive", "filter": {"workflow": "wf_x"}}, "$.body.filter"),
        ({"action": "explode", "filter": {}}, "$.body.action"),
    ],
)
async def test_operations_that_make_no_sense_are_refused(house: House, body: Any, path: str) -> None:
    refused = await house.http.post("/api/v1/bulk-operations", json=body)
    assert refused.status_code == 422
    assert refused.json()["error"]["details"][0]["path"] == path


async def test_executions_are_found_by_what_their_starters_gave(house: House) -> None:
    workflow = await house.create(graph([node("w", "delay", {"seconds": 86_400})]))
    started = []
    for tag in ("red", "blue", "red"):
        body = {"input": None, "tags": [tag], "attributes": {"size": 3 if tag == "red" else 9}}
        answer = await house.http.post(f"/api/v1/workflows/{workflow['id']}/execute", json=body)
        assert answer.status_code == 202, answer.text
        started.append(answer.json()["id"])
    begun = await operation(house, "cancel", {"tag": ["red"], "attribute": ["size<=5"]})
    assert (await over(house, begun["id"]))["done"] == 2
    assert await statuses(house, [started[0], started[2]]) == {"cancelled"}
    assert (await house.execution(started[1]))["status"] == "running"


async def test_dead_letters_are_sent_again_on_request(house: House) -> None:
    begun = await operation(house, "redrive", queue="lane")
    assert (await over(house, begun["id"]))["status"] == "done"


async def test_operations_of_nobody_are_not_found(house: House) -> None:
    assert (await house.http.get("/api/v1/bulk-operations/op_none")).status_code == 404
