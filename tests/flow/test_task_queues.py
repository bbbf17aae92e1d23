"""Remote workers: tasks leased over HTTP, by somebody's own program."""

import asyncio
from typing import Any

from tests.flow.house import House
from tests.flow.test_state_machines import created
from tests.unit.graphs import graph, node

Json = Any


def remote(queue: str = "print", **more: Any) -> Json:
    """A graph of one task for remote workers."""
    config = {"queue": queue, "payload": {"page": "{{ trigger.page }}"}, **more.pop("config", {})}
    return graph([node("start", "manual"), node("job", "remote_task", config=config, **more)], "start -> job")


async def poll(house: House, queue: str = "print", **wish: Any) -> list[Json]:
    asked = {"worker": "w1", "wait": 20, **wish}
    answer = await house.http.post(f"/api/v1/task-queues/{queue}/poll", json=asked)
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["data"]
    return found


async def tell(house: House, verb: str, queue: str = "print", **body: Any) -> Any:
    return await house.http.post(f"/api/v1/task-queues/{queue}/{verb}", json=body)


async def test_a_worker_leases_a_task_and_its_output_goes_on(house: House) -> None:
    workflow = await house.create(remote())
    waiting = asyncio.create_task(poll(house))
    started = await house.start(workflow["id"], {"page": 7})
    (task,) = await waiting
    assert (task["input"], task["node"], task["attempt"], task["lease"]) == ({"page": 7}, "job", 1, 1)
    assert await poll(house, wait=0) == [], "a task is leased to one worker at a time"
    assert (await tell(house, "complete", token=task["token"], output={"ok": True})).status_code == 202
    done = await house.closed(started["id"])
    assert (done["status"], done["output"]) == ("succeeded", {"ok": True})
    late = await tell(house, "complete", token=task["token"], output=2)
    assert late.status_code == 409
    assert (await house.http.get("/api/v1/task-queues/print")).json()["waiting"] == 0


async def test_a_worker_fails_a_task_and_says_whether_a_retry_makes_sense(house: House) -> None:
    retried = remote(retry={"max_attempts": 3, "interval": 0.1, "jitter": False})
    started = await house.start((await house.create(retried))["id"], {"page": 1})
    (task,) = await poll(house)
    refused: Json = {"error": "Jammed", "cause": "paper", "details": {"tray": 2}}
    assert (await tell(house, "fail", token=task["token"], **refused)).status_code == 202
    (again,) = await poll(house)
    assert again["attempt"] == 2
    await tell(house, "fail", token=again["token"], error="Broken", cause="for good", retryable=False)
    done = await house.closed(started["id"])
    assert (done["status"], done["error"]["code"]) == ("failed", "Broken")


async def test_the_heartbeat_says_when_nobody_waits_any_more(house: House) -> None:
    started = await house.start((await house.create(remote()))["id"], {"page": 1})
    (task,) = await poll(house)
    beat = (await tell(house, "heartbeat", token=task["token"], worker="w1")).json()
    assert beat["cancelled"] is False
    assert beat["lease_until"] > task["lease_until"]
    await house.http.post(f"/api/v1/executions/{started['id']}/cancel", json={})
    await house.closed(started["id"])
    beat = (await tell(house, "heartbeat", token=task["token"], worker="w1")).json()
    assert beat == {"cancelled": True, "lease_until": None}
    assert await poll(house, wait=0) == []


async def test_what_nobody_leased_leaves_the_queue_with_its_execution(house: House) -> None:
    started = await house.start((await house.create(remote()))["id"], {"page": 1})
    for _ in range(100):
        if (await house.http.get("/api/v1/task-queues/print")).json()["waiting"]:
            break
        await asyncio.sleep(0.05)
    await house.http.post(f"/api/v1/executions/{started['id']}/cancel", json={})
    await house.closed(started["id"])
    for _ in range(100):
        if not (await house.http.get("/api/v1/task-queues/print")).json()["waiting"]:
            break
        await asyncio.sleep(0.05)
    assert await poll(house, wait=0) == []


async def test_several_workers_share_a_queue_and_each_task_goes_to_one(house: House) -> None:
    workflow = await house.create(remote())
    started = [await house.start(workflow["id"], {"page": number}) for number in range(6)]
    found: list[Json] = []
    while len(found) < 6:
        for batch in await asyncio.gather(*(poll(house, worker=f"w{n}", limit=2) for n in range(3))):
            found += batch
            for task in batch:
                await tell(house, "complete", token=task["token"], output=task["input"]["page"])
    assert sorted(task["input"]["page"] for task in found) == list(range(6))
    assert [(await house.closed(one["id"]))["output"] for one in started] == list(range(6))


async def test_a_lapsed_lease_is_offered_again_and_the_first_outcome_counts(house: House) -> None:
    started = await house.start((await house.create(remote()))["id"], {"page": 1})
    (slow,) = await poll(house, worker="slow", lease=1)
    (quick,) = await poll(house, worker="quick", lease=60)
    assert (quick["lease"], quick["token"]) == (2, slow["token"])
    lost = (await tell(house, "heartbeat", token=slow["token"], worker="slow")).json()
    assert lost["cancelled"] is True, "the task is another worker's"
    assert (await tell(house, "complete", token=slow["token"], output="slow")).status_code == 202
    assert (await tell(house, "complete", token=quick["token"], output="quick")).status_code == 409
    assert (await house.closed(started["id"]))["output"] == "slow"


async def test_a_task_that_loses_three_workers_fails(house: House) -> None:
    started = await house.start((await house.create(remote()))["id"], {"page": 1})
    for lease in range(1, 4):
        (task,) = await poll(house, lease=1)
        assert task["lease"] == lease
    assert await poll(house, wait=3) == []
    done = await house.closed(started["id"])
    assert (done["status"], done["error"]["code"]) == ("failed", "LinkFlow.Interrupted")


async def test_a_task_that_must_not_run_twice_fails_with_its_first_lease(house: House) -> None:
    started = await house.start((await house.create(remote(at_most_once=True)))["id"], {"page": 1})
    assert len(await poll(house, lease=1)) == 1
    assert await poll(house, wait=3) == []
    assert (await house.closed(started["id"]))["error"]["code"] == "LinkFlow.Interrupted"


async def test_an_activity_of_a_state_machine_is_a_task_queue(house: House) -> None:
    machine = {
        "StartAt": "Ask",
        "States": {
            "Ask": {
                "Type": "Task",
                "Resource": "arn:aws:states:us-east-1:111111111111:activity:count",
                "HeartbeatSeconds": 2,
                "TimeoutSeconds": 60,
                "Catch": [{"ErrorEquals": ["States.HeartbeatTimeout"], "Next": "Silent"}],
                "End": True,
            },
            "Silent": {"Type": "Pass", "End": True},
        },
    }
    workflow = await created(house, machine)
    started = await house.start(workflow, {"n": 1})
    (task,) = await poll(house, "count", worker="abacus")
    assert task["input"] == {"n": 1}
    await tell(house, "complete", "count", token=task["token"], output=2)
    assert (await house.closed(started["id"]))["output"] == 2
    told = (await house.http.get(f"/api/v1/executions/{started['id']}/history")).json()["data"]
    kinds = [event["type"] for event in told]
    assert kinds[2:5] == ["ActivityScheduled", "ActivityStarted", "ActivitySucceeded"]
    assert told[3]["details"] == {"workerName": "abacus"}

    silent = await house.start(workflow, {"n": 1})
    await poll(house, "count", worker="abacus")
    done = await house.closed(silent["id"])
    assert done["output"]["Error"] == "States.Timeout"


async def test_a_queue_name_that_comes_to_nothing_fails_the_task_and_says_why(house: House) -> None:
    done = await house.execute(remote(config={"queue": "{{ trigger.where }}"}), {"where": "over there"})
    assert (done["status"], done["error"]["code"]) == ("failed", "LinkFlow.BadConfig")
    assert "queue" in done["error"]["message"]


async def test_higher_priorities_are_leased_first_and_then_the_older(house: House) -> None:
    from linkflow.engine.start import Start, start  # noqa: PLC0415 (callers of the API have no priorities yet)

    created_workflow = await house.create(remote())
    owner = house.world.engine.workflows
    workspace = (await owner_of(house)).workspace
    workflow = await owner.get(workspace, created_workflow["id"])
    for page, priority in enumerate([0, 5, 0, 9]):
        await start(house.world.engine, Start(workflow, {"page": page}, node="start", priority=priority))
    for _ in range(100):
        if (await house.http.get("/api/v1/task-queues/print")).json()["waiting"] == 4:
            break
        await asyncio.sleep(0.05)
    tasks = await poll(house, limit=4)
    assert [task["input"]["page"] for task in tasks] == [3, 1, 0, 2]


async def owner_of(house: House) -> Any:
    from linkflow.stores.accounts import Accounts  # noqa: PLC0415 (only here)

    return await Accounts(house.world.table).owner()


async def test_another_workspace_sees_nothing(house: House) -> None:
    from linkflow.stores.accounts import Accounts  # noqa: PLC0415 (only here)

    await house.start((await house.create(remote()))["id"], {"page": 1})
    (task,) = await poll(house)
    key = await Accounts(house.world.table).issue("ws_other", "us_other", "other", 0, house.world.ids)
    headers = {"Authorization": f"Bearer {key}"}
    body = {"worker": "spy", "wait": 0}
    seen = await house.http.post("/api/v1/task-queues/print/poll", json=body, headers=headers)
    assert seen.json()["data"] == []
    ended = {"token": task["token"], "output": 1}
    answer = await house.http.post("/api/v1/task-queues/print/complete", json=ended, headers=headers)
    assert answer.status_code == 404


async def test_a_task_of_a_paused_execution_is_leased_only_when_it_goes_on(house: House) -> None:
    started = await house.start((await house.create(remote()))["id"], {"page": 1})
    while not (await house.http.get("/api/v1/task-queues/print")).json()["waiting"]:
        await house.events(started["id"], 0, wait=1)
    await house.http.post(f"/api/v1/executions/{started['id']}/pause", json={})
    assert await poll(house, wait=0) == []
    await house.http.post(f"/api/v1/executions/{started['id']}/resume")
    (task,) = await poll(house)
    await tell(house, "complete", token=task["token"], output=1)
    assert (await house.closed(started["id"]))["status"] == "succeeded"
