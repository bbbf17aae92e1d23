"""Deleting a workspace over the API, and its verbs one by one on each family of adapters."""

import asyncio
from typing import Any

import msgspec

from linkflow.engine.engine import Call
from linkflow.engine.platform.system import SYSTEM
from linkflow.engine.platform.verb import PREFIX
from linkflow.engine.platform.verbs import PLATFORM
from linkflow.execution.commands import RunTask
from linkflow.execution.events import TaskSucceeded
from linkflow.search import Query
from linkflow.stores import index_keys
from linkflow.stores.accounts import Accounts
from linkflow.stores.operations import Operation
from tests.flow.house import House
from tests.flow.outside import Outside
from tests.unit.graphs import graph, node


async def verb(house: House, name: str, operation: Operation) -> dict[str, Any]:
    """What the verb answers, as a task of the platform's."""
    given = {"operation": msgspec.to_builtins(operation)}
    task = RunTask(0, 1, 1, name, PREFIX + name, given, "key")
    carry_out = PLATFORM[PREFIX + name]
    told = await carry_out(house.world.engine, Call(SYSTEM, "ex_any", task))
    assert isinstance(told, TaskSucceeded)
    output: dict[str, Any] = told.result
    return output


async def test_a_workspace_is_closed_ended_and_taken_away(house: House, outside: Outside) -> None:
    owner = await Accounts(house.world.table).owner()
    assert owner is not None
    nodes = [node("hook", "webhook"), node("wait", "delay", {"seconds": "{{ trigger.body.seconds }}"})]
    asked = [{"url": f"{outside.address}/ok", "on": ["completed"]}]
    made = await house.create(graph(nodes, "hook -> wait", callbacks=asked))
    path = made["hooks"][0]["url"].partition("/hooks/")[2]
    for seconds in (0, 0, 86_400):
        assert (await house.http.post(f"/hooks/{path}", json={"seconds": seconds})).status_code == 202
    await house.world.engine.files.put(owner.workspace, "bucket", "file", b"content", house.world.clock.now())
    now = house.world.clock.now()
    operation = Operation("op_test", owner.workspace, "delete_workspace", owner.user, now)
    await verb(house, "close_workspace", operation)
    refused = await house.http.post(f"/hooks/{path}", json={"seconds": 0})
    assert refused.status_code not in (200, 202, 404)
    for name in ("end_workspace", "delete_workspace"):
        for _ in range(200):
            if not (await verb(house, name, operation))["more"]:
                break
            await asyncio.sleep(0.05)
        else:
            raise AssertionError(name)
    assert (await house.http.post(f"/hooks/{path}", json={})).status_code == 404
    await verb(house, "finish_workspace", operation)
    assert (await house.http.get("/api/v1/executions")).status_code == 401
    left = await house.world.engine.summaries.search(
        Query(index_keys.listed_executions(owner.workspace), parts=True), 10
    )
    assert left.summaries == []
    assert await house.world.engine.callbacks.listed(owner.workspace) == []
    assert await house.world.engine.files.get(owner.workspace, "bucket", "file") is None
    assert (await house.world.engine.operations.get(owner.workspace, operation.id)).status == "done"
    assert (await house.world.engine.switchboard.controls(0)).workspaces == {}


async def test_a_deletion_needs_the_workspaces_own_id_and_cannot_be_called_off(house: House) -> None:
    assert (await house.http.delete("/api/v1/workspaces/ws_other")).status_code == 404
    unsure = await house.http.delete("/api/v1/workspaces/current")
    assert unsure.status_code == 422
    owner = await Accounts(house.world.table).owner()
    assert owner is not None
    assert owner.workspace in unsure.json()["error"]["details"][0]["message"]
    sure = {"confirm": owner.workspace}
    begun = [await house.http.delete("/api/v1/workspaces/current", params=sure) for _ in range(2)]
    assert begun[0].json()["id"] == begun[1].json()["id"]
    off = await house.http.post(f"/api/v1/bulk-operations/{begun[0].json()['id']}/cancel")
    assert off.status_code == 409
