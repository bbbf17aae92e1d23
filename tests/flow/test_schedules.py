"""Schedules over the API: made, looked at, changed, paused, triggered, made up for."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.flow.house import House
from tests.unit.graphs import graph, node

PATH = "/api/v1/schedules"


async def made(house: House, **given: Any) -> Any:
    workflow = await house.create(graph([node("start", "manual"), node("a")], "start -> a"))
    answer = await house.http.post(PATH, json={"name": "nightly", "workflow": workflow["id"], **given})
    assert answer.status_code == 201, answer.text
    return answer.json()


def faults(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {one["path"]: one["message"] for one in answer.json()["error"]["details"]}


async def test_a_schedule_tells_its_next_ten_firings(house: House) -> None:
    schedule = await made(house, cron="30 9 * * MON-FRI", timezone="America/New_York", input={"n": 1})
    assert len(schedule["next"]) == 10
    assert all(one["due_at_local"][11:16] == "09:30" for one in schedule["next"])
    assert schedule["recurrence"]["cron"] == "30 9 * * MON-FRI"
    got = await house.http.get(f"{PATH}/{schedule['id']}")
    assert got.headers["etag"] == '"1"'
    assert got.json() == schedule
    listed = (await house.http.get(PATH)).json()["data"]
    assert [one["id"] for one in listed] == [schedule["id"]]
    assert listed[0]["next"] == schedule["next"][:1]


async def test_a_schedule_fires_and_logs_it(house: House) -> None:
    schedule = await made(house, every=1, input={"n": 1})
    executions: list[Any] = []
    while not executions:
        executions = (await house.http.get("/api/v1/executions")).json()["data"]
        await house.world.clock.sleep(0.1)
    execution = await house.closed(executions[-1]["id"])
    assert (execution["status"], execution["trigger"]) == ("succeeded", "schedule")
    assert execution["input"]["input"] == {"n": 1}
    assert execution["input"]["schedule"] == schedule["id"]
    log: list[Any] = []
    while execution["id"] not in {entry["execution"] for entry in log}:
        log = (await house.http.get(f"{PATH}/{schedule['id']}")).json()["log"]
    assert execution["input"]["due_at"] in {entry["due_at"] for entry in log if entry["execution"] == execution["id"]}
    assert (await house.http.delete(f"{PATH}/{schedule['id']}")).status_code == 204


async def test_the_preview_of_an_unsaved_schedule_shows_what_the_clock_does(house: House) -> None:
    asked = {"cron": "30 2 * * *", "timezone": "Europe/Berlin", "after": "2026-03-27T12:00:00Z", "count": 3}
    answer = await house.http.post(f"{PATH}/preview", json=asked)
    assert [one["due_at_local"] for one in answer.json()["data"]] == [
        "2026-03-28T02:30:00+01:00",
        "2026-03-29T03:00:00+02:00",
        "2026-03-30T02:30:00+02:00",
    ]


async def test_everything_wrong_is_told_at_once(house: House) -> None:
    bad = {"cron": "61 * * * *", "timezone": "Mars/Olympus", "jitter": -1}
    found = faults(await house.http.post(f"{PATH}/preview", json=bad))
    assert set(found) == {"$.body.cron", "$.body.timezone", "$.body.jitter"}
    assert "Example: '30 9 * * MON-FRI'" in found["$.body.cron"]
    assert "Europe/Berlin" in found["$.body.timezone"]
    both = {"cron": "1 * * * *", "every": 60, "starts_at": "2026-02-01T00:00:00Z", "ends_at": "2026-01-01T00:00:00Z"}
    assert set(faults(await house.http.post(f"{PATH}/preview", json=both))) == {"$.body", "$.body.ends_at"}


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({}, "$.body"),
        ({"every": 0}, "$.body.every"),
        ({"dates": []}, "$.body.dates"),
        (
            {"cron": "0 0 * * *", "starts_at": "2026-01-01T01:00:00Z", "ends_at": "2026-01-01T02:00:00Z"},
            "$.body.ends_at",
        ),
        ({"cron": "0 0 * * *", "anchor": "2026-01-01T01:00:00Z"}, "$.body.anchor"),
        ({"cron": "0 0 * * *", "overlap": "perhaps"}, "$.body.overlap"),
        ({"cron": "0 0 * * *", "start_at": "2026-01-01T01:00:00Z"}, "$.body.start_at"),
    ],
)
async def test_what_is_wrong_is_told_where_it_is(house: House, given: dict[str, Any], path: str) -> None:
    assert path in faults(await house.http.post(f"{PATH}/preview", json=given))


async def test_two_people_never_overwrite_each_other(house: House) -> None:
    schedule = await made(house, cron="0 9 * * *", jitter=60)
    path, first = f"{PATH}/{schedule['id']}", {"If-Match": '"1"'}
    changed = await house.http.patch(path, json={"every": 3600, "name": "hourly"}, headers=first)
    assert changed.status_code == 200, changed.text
    assert changed.headers["etag"] == '"2"'
    assert changed.json()["recurrence"]["every"] == 3600
    assert "cron" not in changed.json()["recurrence"]
    assert changed.json()["recurrence"]["jitter"] == 60
    late = await house.http.patch(path, json={"name": "mine"}, headers=first)
    assert (late.status_code, late.json()["error"]["code"]) == (412, "outdated")
    assert "revision is 2" in late.json()["error"]["message"]
    whole = await house.http.put(path, json={"name": "mine", "cron": "0 8 * * *"}, headers={"If-Match": '"2"'})
    assert (whole.json()["name"], whole.json()["recurrence"]["jitter"]) == ("mine", 0)
    assert faults(await house.http.patch(path, json={"cron": "0 99 * * *"})).keys() == {"$.body.cron"}


async def test_a_repeated_request_makes_one_schedule(house: House) -> None:
    workflow = await house.create(graph([node("start", "manual")]))
    body = {"name": "n", "workflow": workflow["id"], "cron": "0 0 * * *"}
    answers = [await house.http.post(PATH, json=body, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len((await house.http.get(PATH)).json()["data"]) == 1


async def test_paused_it_has_no_next_firing(house: House) -> None:
    schedule = await made(house, cron="* * * * *", input=1)
    path = f"{PATH}/{schedule['id']}"
    paused = (await house.http.post(f"{path}/pause")).json()
    assert (paused["paused"], paused["next"]) == (True, [])
    resumed = (await house.http.post(f"{path}/resume")).json()
    assert (resumed["paused"], len(resumed["next"])) == (False, 10)


async def test_it_can_be_triggered_by_hand_once_per_key(house: House) -> None:
    schedule = await made(house, cron="0 0 1 1 *", input={"n": 2})
    path = f"{PATH}/{schedule['id']}"
    first = await house.http.post(f"{path}/trigger", headers={"Idempotency-Key": "a"})
    again = await house.http.post(f"{path}/trigger", headers={"Idempotency-Key": "a"})
    other = await house.http.post(f"{path}/trigger")
    assert first.status_code == 202
    assert first.json() == again.json() != other.json()
    execution = await house.closed(first.json()["id"])
    assert (execution["trigger"], execution["input"]["by"]) == ("schedule", "trigger")
    log = (await house.http.get(path)).json()["log"]
    assert [one["execution"] for one in log] == [other.json()["id"], first.json()["id"]]


async def test_a_backfill_makes_up_for_the_past_once(house: House) -> None:
    schedule = await made(house, cron="0 9 * * *", timezone="Europe/Berlin")
    path = f"{PATH}/{schedule['id']}/backfill"
    asked = {"from": "2026-03-27T00:00:00Z", "to": "2026-03-30T07:00:00Z"}
    first = (await house.http.post(path, json=asked)).json()["data"]
    assert [one["due_at"][5:16] for one in first] == ["03-27T08:00", "03-28T08:00", "03-29T07:00", "03-30T07:00"]
    assert all(one["started"] for one in first)
    again = (await house.http.post(path, json={**asked, "to": "2026-03-31T07:00:00Z"})).json()["data"]
    assert [one["started"] for one in again] == [False] * 4 + [True]
    assert [one["execution"] for one in again[:4]] == [one["execution"] for one in first]
    assert len((await house.http.get("/api/v1/executions")).json()["data"]) == 5


async def test_a_backfill_has_bounds(house: House) -> None:
    schedule = await made(house, every=60)
    path = f"{PATH}/{schedule['id']}/backfill"
    wide = await house.http.post(path, json={"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"})
    assert (wide.status_code, "ask for a part" in wide.text) == (409, True)
    later = datetime.fromtimestamp(house.world.clock.now() + 3_600, UTC).isoformat()
    assert faults(await house.http.post(path, json={"from": "2026-01-01T00:00:00Z", "to": later})) != {}


async def test_a_schedule_node_makes_a_schedule(house: House) -> None:
    nodes = [node("daily", "schedule", {"cron": "0 9 * * *", "timezone": "Asia/Kathmandu"}), node("a")]
    workflow = await house.create(graph(nodes, "daily -> a"), name="report")
    (schedule,) = (await house.http.get(PATH)).json()["data"]
    assert (schedule["workflow"], schedule["node"], schedule["origin"]) == (workflow["id"], "daily", "workflow")
    started = await house.http.post(f"{PATH}/{schedule['id']}/trigger")
    assert (await house.closed(started.json()["id"]))["status"] == "succeeded"


async def test_a_wrong_schedule_node_is_told_when_the_workflow_is_made(house: House) -> None:
    nodes = [node("daily", "schedule", {"cron": "0 9 * *"}), node("b", "schedule", {"every": "{{ 5 }}"})]
    answer = await house.http.post("/api/v1/workflows", json={"name": "w", "definition": graph(nodes)})
    assert set(faults(answer)) == {"$.definition.nodes[0].config.cron", "$.definition.nodes[1].config.every"}


async def test_unknown_things_are_not_found(house: House) -> None:
    for method, path in (("GET", "/sch_x"), ("DELETE", "/sch_x"), ("POST", "/sch_x/pause"), ("POST", "/sch_x/trigger")):
        assert (await house.http.request(method, PATH + path)).status_code == 404
    body = {"name": "n", "workflow": "wf_x", "cron": "* * * * *"}
    assert (await house.http.post(PATH, json=body)).status_code == 404
    schedule = await made(house, cron="0 0 * * *")
    body = {"name": "n", "workflow": schedule["workflow"], "cron": "* * * * *", "node": "nobody"}
    assert "it has start" in faults(await house.http.post(PATH, json=body))["$.body.node"]
