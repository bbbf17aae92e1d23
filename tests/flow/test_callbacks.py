"""Callbacks: addresses outside are told of executions, signed, and the log says how it went."""

import asyncio
import json
from typing import Any

import pytest

from linkflow.engine.platform.system import SYSTEM
from linkflow.runtime.settings import Settings
from linkflow.runtime.signature import signature
from tests.flow.house import House
from tests.flow.outside import Outside
from tests.flow.stored import everything_stored
from tests.unit.graphs import graph, node

EVENTS = ["started", "completed", "failed", "waiting"]


async def callback(house: House, url: str, **more: Any) -> Any:
    answer = await house.http.post("/api/v1/callbacks", json={"url": url, "own_secret": True, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def log(house: House, identifier: str) -> list[Any]:
    page = await house.http.get(f"/api/v1/callbacks/{identifier}/deliveries")
    assert page.status_code == 200, page.text
    found: list[Any] = page.json()["data"]
    return found


async def settled(house: House, identifier: str, count: int) -> list[Any]:
    """The log, once it has so many deliveries and none of them is pending."""
    for _ in range(200):
        found = await log(house, identifier)
        if len(found) >= count and all(one["status"] != "pending" for one in found):
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(found)


async def test_a_callback_is_told_of_the_end_with_a_signature_over_the_very_body(
    house: House, outside: Outside
) -> None:
    made = await callback(house, f"{outside.address}/ok")
    execution = await house.execute(graph([node("a", "set", {"values": {"n": 7}})]))
    (delivery,) = await settled(house, made["id"], 1)
    (seen,) = [call for call in outside.seen if call["path"] == "/ok"]
    told = json.loads(seen["body"])
    assert (told["id"], told["event"], told["output"]) == (delivery["id"], "completed", {"n": 7})
    assert (told["execution"]["id"], told["execution"]["status"]) == (execution["id"], "succeeded")
    assert seen["x-linkflow-delivery"] == delivery["id"]
    assert seen["x-linkflow-event"] == "completed"
    expected = signature(made["secret"], seen["x-linkflow-timestamp"], seen["body"].encode())
    assert seen["x-linkflow-signature"] == expected
    assert (delivery["status"], delivery["tries"], delivery["attempts"][0]["status"]) == ("delivered", 1, 200)
    assert delivery["attempts"][0]["answer"]


async def test_callbacks_in_the_definition_are_told_of_their_workflow_alone(house: House, outside: Outside) -> None:
    asked = [{"url": f"{outside.address}/ok", "on": EVENTS}]
    nodes = [node("w", "delay", {"seconds": 1}), node("a", "set", {"values": {"x": "{{ $error('no') }}"}})]
    created = await house.http.post(
        "/api/v1/workflows", json={"name": "told", "definition": graph(nodes, "w -> a", callbacks=asked)}
    )
    found = (await house.http.get("/api/v1/callbacks")).json()["data"]
    assert [(one["workflow"], one["in_definition"]) for one in found] == [(created.json()["id"], True)]
    rotated = await house.http.post(f"/api/v1/callbacks/{found[0]['id']}/secret", json={})
    assert rotated.json()["signed_with"] == "own"
    started = await house.start(created.json()["id"], wait=20)
    await house.execute(graph([node("other")]))
    deliveries = await settled(house, found[0]["id"], 3)
    assert sorted(one["event"] for one in deliveries) == ["failed", "started", "waiting"]
    assert {one["execution"] for one in deliveries} == {started["id"]}
    told = {one["event"]: one for one in (json.loads(call["body"]) for call in outside.seen)}
    assert told["waiting"]["waiting"]["node"] == "w"
    assert told["started"]["execution"]["status"] == "running"
    assert told["failed"]["error"]["message"]
    assert told["failed"]["error"]["node"] == "a"
    for refused in (
        await house.http.patch(f"/api/v1/callbacks/{found[0]['id']}", json={"name": "x"}),
        await house.http.delete(f"/api/v1/callbacks/{found[0]['id']}"),
    ):
        assert refused.status_code == 409


async def test_a_callback_of_one_workflow_hears_nothing_of_others_and_what_it_does_not_ask_for(
    house: House, outside: Outside
) -> None:
    mine, other = [await house.create(graph([node("a")]), name) for name in ("mine", "other")]
    about_mine = await callback(house, f"{outside.address}/mine", workflow=mine["id"])
    of_failures = await callback(house, f"{outside.address}/failures", on=["failed"])
    for workflow in (other, mine):
        await house.start(workflow["id"], wait=20)
    await settled(house, about_mine["id"], 1)
    assert outside.calls["/mine"] == 1
    assert outside.calls["/failures"] == 0
    assert await log(house, of_failures["id"]) == []


async def test_a_wait_for_people_is_told_of_once(house: House, outside: Outside) -> None:
    made = await callback(house, f"{outside.address}/ok", on=["waiting"])
    asked = node("ask", "approval", {"title": "May it?"}, timeout=3_600)
    workflow = await house.create(graph([asked]))
    await house.start(workflow["id"])
    (delivery,) = await settled(house, made["id"], 1)
    (seen,) = [call for call in outside.seen if call["path"] == "/ok"]
    told = json.loads(seen["body"])["waiting"]
    assert told["node"] == "ask"
    assert told["until"] > delivery["created_at"]


async def test_a_callback_is_changed_and_deleted(house: House, outside: Outside) -> None:
    made = await callback(house, f"{outside.address}/old")
    changed = await house.http.patch(
        f"/api/v1/callbacks/{made['id']}", json={"url": f"{outside.address}/new", "on": ["completed"]}
    )
    assert (changed.json()["url"], changed.json()["on"]) == (f"{outside.address}/new", ["completed"])
    assert changed.json()["secret"] is None
    await house.execute(graph([node("a")]))
    await settled(house, made["id"], 1)
    assert (outside.calls["/old"], outside.calls["/new"]) == (0, 1)
    assert (await house.http.delete(f"/api/v1/callbacks/{made['id']}")).status_code == 204
    assert (await house.http.get(f"/api/v1/callbacks/{made['id']}")).status_code == 404
    assert (await house.http.get(f"/api/v1/callbacks/{made['id']}/deliveries")).status_code == 404


async def test_what_was_given_up_is_told_once_more_on_request(house: House, outside: Outside) -> None:
    made = await callback(house, f"{outside.address}/status/410")
    await house.execute(graph([node("a")]))
    (dead,) = await settled(house, made["id"], 1)
    assert (dead["status"], dead["tries"]) == ("dead", 1)
    assert "410" in dead["reason"]
    await house.http.patch(f"/api/v1/callbacks/{made['id']}", json={"url": f"{outside.address}/ok"})
    again = await house.http.post(f"/api/v1/callbacks/{made['id']}/deliveries/{dead['id']}/redeliver")
    assert (again.status_code, again.json()["status"]) == (202, "pending")
    (delivered,) = await settled(house, made["id"], 1)
    assert (delivered["status"], delivered["tries"], delivered["reason"]) == ("delivered", 2, "")
    bodies = {call["body"] for call in outside.seen}
    assert len(bodies) == 1
    assert {call["x-linkflow-delivery"] for call in outside.seen} == {dead["id"]}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"url": "ftp://x"}, 422),
        ({"url": "https://x", "on": []}, 422),
        ({"url": "https://x", "on": ["ended"]}, 422),
        ({"url": "https://x", "workflow": "wf_none", "own_secret": True}, 404),
        ({"url": "https://x", "secret": "short"}, 422),
    ],
)
async def test_callbacks_that_make_no_sense_are_refused(house: House, body: Any, status: int) -> None:
    assert (await house.http.post("/api/v1/callbacks", json=body)).status_code == status


async def test_a_private_address_is_not_called_and_the_log_says_why(house: House) -> None:
    made = await callback(house, "http://169.254.169.254/latest/meta-data")
    await house.execute(graph([node("a")]))
    (dead,) = await settled(house, made["id"], 1)
    assert dead["status"] == "dead"
    assert "refused_address" in dead["attempts"][0]["error"]


async def test_the_platforms_own_executions_are_seen_by_nobody_and_tell_nobody(house: House, outside: Outside) -> None:
    made = await callback(house, f"{outside.address}/ok", on=EVENTS)
    execution = await house.execute(graph([node("a")]))
    await settled(house, made["id"], 2)
    seen = (await house.http.get("/api/v1/executions")).json()["data"]
    assert [one["id"] for one in seen] == [execution["id"]]
    assert (await house.http.get("/api/v1/workflows")).json()["data"][0]["name"] == "test"
    assert await house.world.engine.callbacks.listed(SYSTEM) == []
    assert outside.calls["/ok"] == 2


async def test_a_users_workflow_cannot_use_the_platforms_verbs(house: House) -> None:
    machine = {
        "StartAt": "A",
        "States": {"A": {"Type": "Task", "Resource": "linkflow:platform.deliver_callback", "End": True}},
    }
    body = {"name": "sly", "dialect": "asl", "definition": machine}
    created = await house.http.post("/api/v1/workflows", json=body)
    started = await house.start(created.json()["id"], {}, wait=20)
    assert started["status"] == "failed"
    assert started["error"]["code"] == "LinkFlow.UnknownResource"


async def test_a_callbacks_secret_is_nowhere_in_what_is_kept(
    house: House, outside: Outside, settings: Settings
) -> None:
    made = await callback(house, f"{outside.address}/ok")
    await house.execute(graph([node("a")]))
    await settled(house, made["id"], 1)
    kept = everything_stored(settings)
    assert made["id"].encode() in kept
    assert made["secret"].encode() not in kept
    assert made["secret"] not in (await house.http.get("/api/v1/callbacks")).text
