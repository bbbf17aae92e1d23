"""Old executions are read from the archive over the same routes; how long they are kept is the workspace's to say."""

from typing import Any

import pytest

from linkflow.engine.results import await_result
from linkflow.engine.retention import DAY, sweep
from linkflow.stores.accounts import Accounts
from tests.flow.door import Door
from tests.flow.house import House

WORK = {
    "nodes": [{"id": "start", "type": "manual"}, {"id": "work", "type": "no_op"}],
    "edges": [{"source": "start", "target": "work"}],
}


async def got(house: House, path: str, **params: Any) -> Any:
    answer = await house.http.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def month_passes(house: House, workspace: str) -> None:
    """The sweep is told that it is later than it is."""
    now = house.world.clock.now()
    await sweep(house.world.engine, workspace, now + 40 * DAY, now + 600)


async def test_an_archived_execution_is_read_and_found_as_before_but_marked(house: House) -> None:
    owner = await Accounts(house.world.table).owner()
    assert owner is not None
    workflow = await house.create(WORK)
    execution = (await house.start(workflow["id"], {"n": 1}, wait=30))["id"]
    assert await await_result(house.world.engine, owner.workspace, execution, 30) is not None
    path = f"/api/v1/executions/{execution}"
    before = {route: await got(house, path + route) for route in ("", "/events", "/history")}
    assert before[""]["archived"] is False
    await month_passes(house, owner.workspace)
    assert await got(house, path) == {**before[""], "archived": True}
    assert await got(house, path + "/events") == before["/events"]
    assert await got(house, path + "/history") == before["/history"]
    assert (await got(house, "/api/v1/executions"))["data"] == []
    (found,) = (await got(house, "/api/v1/executions", archived=True, workflow=workflow["id"]))["data"]
    assert (found["id"], found["archived"]) == (execution, True)
    assert (await got(house, "/api/v1/executions/count", archived=True))["counts"] == {"succeeded": 1}
    refused = await house.http.post(f"{path}/cancel", json={})
    assert (refused.status_code, "over already" in refused.text) == (409, True)


async def test_the_engines_door_finds_what_the_workspace_has(house: House) -> None:
    door = await Door.of(house)
    execution = (await house.start((await house.create(WORK))["id"], wait=30))["id"]
    listed = await door.send("GET", "/engine/v1/executions?limit=5")
    assert [one["id"] for one in listed.json()["data"]] == [execution]
    assert (await door.told("count"))["total"] == 1
    assert (await door.told("statistics"))["data"][0]["started"] == 1
    door.workspace = "ws_other"
    assert (await door.told("count"))["total"] == 0
    unsigned = await house.http.get("/engine/v1/executions", params={"text": execution})
    assert unsigned.status_code == 401


async def test_how_long_executions_are_kept_can_be_said_and_is_checked(house: House) -> None:
    assert await got(house, "/api/v1/retention") == {"days": 30, "archive": True, "archive_days": 0, "workflows": {}}
    workflow = (await house.create(WORK))["id"]
    wanted = {"days": 7, "archive": False, "archive_days": 0, "workflows": {workflow: 0}}
    answer = await house.http.put("/api/v1/retention", json=wanted)
    assert (answer.status_code, answer.json()) == (200, wanted)
    assert await got(house, "/api/v1/retention") == wanted


@pytest.mark.parametrize("wrong", [{"days": -1}, {"workflows": {"wf_none": 3}}, {"day": 3}])
async def test_a_retention_that_cannot_be_is_refused(house: House, wrong: dict[str, Any]) -> None:
    answer = await house.http.put("/api/v1/retention", json=wrong)
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]["details"]
