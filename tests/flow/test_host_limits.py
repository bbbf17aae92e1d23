"""What a workspace allows the hosts it calls, and its task queues."""

import asyncio
from typing import Any

from tests.flow.house import House
from tests.flow.outside import Outside
from tests.flow.test_task_queues import poll, remote, tell
from tests.unit.graphs import graph, node

Json = Any


async def limit(house: House, name: str, **given: Any) -> Json:
    answer = await house.http.put(f"/api/v1/limits/{name}", json=given)
    assert answer.status_code == 200, answer.text
    return answer.json()


def calls(address: str, count: int, path: str = "/echo") -> Json:
    """So many calls at the same time."""
    names = [f"c{number}" for number in range(count)]
    nodes = [node(name, "http_request", config={"url": f"{address}{path}"}) for name in names]
    return graph([node("start", "manual"), *nodes], *(f"start -> {name}" for name in names))


async def test_a_host_is_never_called_by_more_at_once_than_allowed(house: House, outside: Outside) -> None:
    await limit(house, "host:127.0.0.1", at_once=2)
    done = await house.execute(calls(outside.address, 8, "/crowd"), wait=60)
    assert done["status"] == "succeeded", done["error"]
    assert outside.most_at_once == 2
    (seen,) = (await house.http.get("/api/v1/limits")).json()["data"]
    assert seen["in_use"] <= 2


async def test_a_rate_postpones_what_comes_too_early_and_fails_nothing(house: House, outside: Outside) -> None:
    """Four of five wait longer than a task waits in place: their books say until when, and their timeouts move."""
    await limit(house, "host:127.0.0.1", limit=1, per_seconds=3)
    drawn = calls(outside.address, 4)
    for one in drawn["nodes"][1:]:
        one["timeout"] = 4
    done = await house.execute(drawn, wait=60)
    assert done["status"] == "succeeded", done["error"]
    kinds = [event["type"] for event in (await house.events(done["id"]))["data"]]
    assert kinds.count("TaskPostponed") >= 1
    assert kinds.count("TaskSucceeded") == 4


async def test_a_queue_gives_no_more_leases_than_allowed(house: House) -> None:
    await limit(house, "queue:print", at_once=2)
    workflow = await house.create(remote())
    for page in range(4):
        await house.start(workflow["id"], {"page": page})
    for _ in range(100):
        if (await house.http.get("/api/v1/task-queues/print")).json()["waiting"] == 4:
            break
        await asyncio.sleep(0.05)
    first = await poll(house, limit=10)
    assert len(first) == 2
    assert await poll(house, wait=0, limit=10) == []
    await tell(house, "complete", token=first[0]["token"], output=1)
    assert len(await poll(house, limit=10)) == 1


async def test_a_workspace_isolates_a_node_type(house: House, outside: Outside) -> None:
    await limit(house, "type:http_request", isolated=True)
    done = await house.execute(calls(outside.address, 1))
    assert done["status"] == "succeeded"


async def test_what_is_wrong_with_a_limit_is_said(house: House) -> None:
    for name, given, code in [
        ("example.com", {"at_once": 1}, "unknown_kind"),
        ("host:example.com", {}, "no_limit"),
        ("type:manual", {"isolated": True}, "unknown_type"),
        ("type:http_request", {"at_once": 1}, "only_isolated"),
        ("host:example.com", {"isolated": True, "limit": 1}, "not_a_type"),
    ]:
        answer = await house.http.put(f"/api/v1/limits/{name}", json=given)
        assert (answer.status_code, answer.json()["error"]["details"][0]["code"]) == (422, code)
    await limit(house, "host:example.com", limit=10)
    assert (await house.http.delete("/api/v1/limits/host:example.com")).status_code == 204
    assert (await house.http.get("/api/v1/limits")).json()["data"] == []
