"""Health, settings, holds and the node registry, as whoever runs the installation sees them."""

from typing import Any

import httpx
import pytest

from functions.control_plane import health
from functions.timer.service import Sweeper
from linkflow.messages import TASKS
from linkflow.ports import Index, Item, Key, Send
from linkflow.runtime.wiring import World
from linkflow.stores import index_keys
from linkflow.stores.pulse import Pulse, Pulses
from tests.flow.door import Door
from tests.flow.house import House
from tests.unit.graphs import graph, node

Json = Any
PARTS = {"table", "queue", "timer"}


class Engine:
    """Calls with the installation's secret."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.workspace = door.workspace

    async def __call__(self, method: str, path: str, body: Json = None) -> httpx.Response:
        return await self.door.send(method, f"/engine/v1/{path}", body)

    async def well(self, method: str, path: str, body: Json = None) -> Json:
        answer = await self(method, path, body)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
async def engine(house: House) -> Engine:
    return Engine(await Door.of(house))


def part(view: Json, name: str) -> Json:
    return next(one for one in view["parts"] if one["part"] == name)


async def swept(world: World) -> None:
    while await Pulses(world.table).get() is None:
        await world.clock.sleep(0.05)


async def test_anybody_may_ask_whether_all_is_well_and_learns_nothing_else(house: House) -> None:
    await swept(house.world)
    answer = await house.http.get("/health", headers={"Authorization": ""})
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert {one["part"] for one in answer.json()["parts"]} == PARTS
    assert "ws_" not in answer.text


async def test_a_timer_that_does_not_sweep_is_told_with_what_to_do(house: House) -> None:
    await swept(house.world)
    now = house.world.clock.now()
    await Pulses(house.world.table).put(Pulse(now - 3_600, 0, 0, 0.1))
    answer = await house.http.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "failing")
    assert "timer_watch" in part(answer.json(), "timer")["advice"]
    await Pulses(house.world.table).put(Pulse(now + 60, 0, 0, 0.1))
    assert "set the clocks" in part((await house.http.get("/health")).json(), "timer")["advice"]


async def test_the_cluster_shows_every_part_and_queue(house: House, engine: Engine) -> None:
    await swept(house.world)
    view = await engine.well("GET", "cluster")
    assert view["status"] == "ok", view["parts"]
    assert {one["part"] for one in view["parts"]} >= PARTS | {"blobs", "keyring", "watchdog", "schedules", "queue lane"}
    assert all(one["latency_ms"] >= 0 for one in view["parts"])
    assert view["holds"] == {"engine": None, "workspaces": {}, "workflows": {}}


async def test_dead_letters_and_what_is_overdue_are_told(house: House) -> None:
    world = house.world
    await world.queue.send([Send(TASKS.dead_letters, b"{}")])
    late = index_keys.due_at(world.clock.now() - 1_000, "ws_x", "sch_x")
    await world.table.put(Item(Key("x", "y"), b"{}", indexes={Index.DUE: Key(index_keys.schedules_due(0), late)}))
    found = {one.part: one for one in await health.everything(world)}
    assert found["dead letters tasks"].status == "warning"
    assert found["dead letters tasks"].value == 1
    assert found["schedules"].status == "warning"
    assert "late" in found["schedules"].advice


async def test_settings_change_for_all_and_never_over_somebody_elses(engine: Engine, house: House) -> None:
    before = await engine.well("GET", "settings")
    assert (before["revision"], before["features_off"]) == (0, [])
    asked = {"revision": 0, "log": "error", "disabled_nodes": {engine.workspace: ["http_request"]}}
    after = await engine.well("PUT", "settings", asked)
    assert (after["revision"], after["log"]) == (1, "error")
    late = await engine("PUT", "settings", {"revision": 0, "features_off": ["schedules"]})
    assert (late.status_code, late.json()["error"]["code"]) == (412, "outdated")
    assert await engine.well("GET", "settings") == after
    nodes = (await house.http.get("/api/v1/nodes")).json()["data"]
    assert [one["type"] for one in nodes if one["disabled"]] == ["http_request"]
    await engine.well("PUT", "settings", {"revision": 1})


async def test_unknown_node_types_and_features_are_refused(engine: Engine) -> None:
    wrong = await engine("PUT", "settings", {"revision": 0, "disabled_nodes": {"*": ["manual", "teleport"]}})
    assert [one["path"] for one in wrong.json()["error"]["details"]] == ["$.body.disabled_nodes.*[1]"]
    assert (await engine("PUT", "settings", {"revision": 0, "features_off": ["gravity"]})).status_code == 422


async def test_node_types_tell_their_forms_and_exits(house: House, engine: Engine) -> None:
    nodes = {one["type"]: one for one in (await house.http.get("/api/v1/nodes")).json()["data"]}
    assert await engine.well("GET", "nodes") == {"data": list(nodes.values())}
    assert nodes["condition"]["exits"] == ["true", "false"]
    assert nodes["http_request"]["form"]["properties"]["url"]["type"] == "string"
    assert nodes["http_request"]["default_timeout"] > 0
    assert nodes["schedule"]["role"] == "trigger"
    assert all(one["description"] and one["form"]["type"] == "object" for one in nodes.values())


async def test_a_workflow_is_paused_and_resumed_by_people(house: House) -> None:
    workflow = await house.create(
        graph([node("s", "manual"), node("a", "delay", {"seconds": 0.3}), node("b")], "s -> a", "a -> b")
    )
    path = f"/api/v1/workflows/{workflow['id']}"
    held = (await house.http.post(f"{path}/pause", json={"reason": "a look"})).json()["held"]
    assert [(one["what"], one["mode"], one["reason"]) for one in held] == [("workflow", "pause", "a look")]
    started = await house.start(workflow["id"])
    page = await house.events(started["id"], 0, wait=10)
    assert [event["type"] for event in page["data"]] == ["PauseRequested"]
    assert (await house.http.post(f"{path}/resume")).json()["held"] == []
    assert (await house.closed(started["id"]))["status"] == "succeeded"
    await house.http.post(f"{path}/pause", json={"starts": "refuse"})
    refused = await house.http.post(f"{path}/execute", json={})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "held")
    assert (await house.http.post("/api/v1/workflows/wf_x/pause", json={})).status_code == 404


async def test_a_workspace_and_the_engine_are_held_by_who_runs_them(house: House, engine: Engine) -> None:
    workflow = await house.create(graph([node("s", "manual"), node("b")], "s -> b"))
    where = f"workspaces/{engine.workspace}"
    holds = await engine.well("POST", f"{where}/drain", {"starts": "refuse", "reason": "moving"})
    assert holds["workspaces"][engine.workspace]["mode"] == "drain"
    refused = await house.http.post(f"/api/v1/workflows/{workflow['id']}/execute", json={})
    assert "being drained (moving)" in refused.json()["error"]["message"]
    await engine.well("POST", f"{where}/resume")
    await engine.well("POST", "cluster/maintenance", {"mode": "pause", "starts": "refuse", "reason": "update"})
    refused = await house.http.post(f"/api/v1/workflows/{workflow['id']}/execute", json={})
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "60")
    assert (await engine.well("GET", "cluster"))["holds"]["engine"]["reason"] == "update"
    await engine.well("POST", "cluster/maintenance", {"mode": "off"})
    await engine.well("POST", f"workflows/{workflow['id']}/pause", {})
    await engine.well("POST", f"workflows/{workflow['id']}/resume")
    assert (await engine("POST", "workflows/wf_x/drain", {})).status_code == 404
    assert (await house.start(workflow["id"], wait=20))["status"] == "succeeded"


async def test_the_cluster_is_not_for_everybody(house: House) -> None:
    for path in ("cluster", "settings", "nodes"):
        assert (await house.http.get(f"/engine/v1/{path}")).status_code in (401, 403)


async def test_webhooks_can_be_switched_off_for_all(house: House, engine: Engine) -> None:
    created = await house.create(graph([node("hook", "webhook"), node("a")], "hook -> a"))
    path = created["hooks"][0]["url"].partition("/hooks/")[2]
    await engine.well("PUT", "settings", {"revision": 0, "features_off": ["webhooks"]})
    refused = await house.http.post(f"/hooks/{path}", json={})
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "maintenance")
    await engine.well("PUT", "settings", {"revision": 1})
    assert (await house.http.post(f"/hooks/{path}", json={})).status_code == 202


async def test_a_sweep_tells_that_it_lives_every_five_minutes_only(house: House) -> None:
    world, pulses = house.world, Pulses(house.world.table)
    await swept(world)
    sweeper, now = Sweeper(world), world.clock.now()
    await sweeper.sweep(now)
    await sweeper.sweep(now + 60)
    pulse = await pulses.get()
    assert pulse is not None
    assert pulse.at == now
