"""Tasks that wait until somebody outside ends them by their token."""

import asyncio
from typing import Any

from tests.flow.house import House
from tests.flow.outside import Outside
from tests.flow.test_state_machines import created


def asking(address: str, **more: Any) -> dict[str, Any]:
    """Sends its token out, and waits for it to come back."""
    ask = {
        "Type": "Task",
        "Resource": "linkflow:http_request.waitForTaskToken",
        "Arguments": {
            "url": f"{address}/echo",
            "method": "POST",
            "body": "{% {'token': $states.context.Task.Token} %}",
        },
        "Output": "{% $states.result %}",
        "End": True,
        **more,
    }
    return {"QueryLanguage": "JSONata", "StartAt": "Ask", "States": {"Ask": ask}}


async def token_of(house: House, execution: str) -> str:
    """What the task sent out, as soon as it has."""
    after = -1
    for _ in range(100):
        page = await house.events(execution, after, 5)
        for event in page["data"]:
            if event["type"] == "TaskSubmitted":
                sent: str = event["data"]["output"]["body"]["body"]["token"]
                return sent
        after = page["next_after"]
    raise AssertionError("the task was never submitted")


async def tell(house: House, verb: str, **body: Any) -> int:
    return (await house.http.post(f"/api/v1/tasks/{verb}", json=body)).status_code


async def test_a_task_waits_for_its_token_and_ends_once(house: House, outside: Outside) -> None:
    started = await house.start(await created(house, asking(outside.address)), {})
    token = await token_of(house, started["id"])
    assert await tell(house, "heartbeat", token=token) == 202
    answers = await asyncio.gather(*(tell(house, "succeed", token=token, output={"n": n}) for n in range(3)))
    done = await house.closed(started["id"])
    assert (done["status"], done["output"]["n"] in range(3)) == ("succeeded", True)
    assert set(answers) <= {202, 409}
    assert await tell(house, "succeed", token=token, output=7) == 409
    told = (await house.http.get(f"/api/v1/executions/{started['id']}/history")).json()["data"]
    assert [event["type"] for event in told].count("TaskSucceeded") == 1


async def test_work_outside_can_fail_the_task_which_its_rules_then_handle(house: House, outside: Outside) -> None:
    caught = {"ErrorEquals": ["Refused"], "Next": "Sorry", "Output": "{% $states.errorOutput %}"}
    machine = asking(outside.address, Catch=[caught])
    machine["States"]["Sorry"] = {"Type": "Pass", "End": True}
    started = await house.start(await created(house, machine), {})
    token = await token_of(house, started["id"])
    assert await tell(house, "fail", token=token, error="Refused", cause="no stock") == 202
    assert (await house.closed(started["id"]))["output"] == {"Error": "Refused", "Cause": "no stock"}


async def test_a_token_that_was_made_up_or_changed_ends_nothing(house: House, outside: Outside) -> None:
    started = await house.start(await created(house, asking(outside.address)), {})
    token = await token_of(house, started["id"])
    for wrong in ("nonsense", token[:-8] + "AAAAAAAA", token[::-1]):
        assert await tell(house, "succeed", token=wrong, output=1) == 404
    assert (await house.execution(started["id"]))["status"] == "running"
    await house.http.post(f"/api/v1/executions/{started['id']}/cancel", json={})
    await house.closed(started["id"])
    assert await tell(house, "succeed", token=token, output=1) == 409


async def test_a_task_without_signs_of_life_times_out(house: House, outside: Outside) -> None:
    machine = asking(outside.address, HeartbeatSeconds=1, TimeoutSeconds=60)
    done = await house.start(await created(house, machine), {}, wait=30)
    assert done["error"]["code"] == "States.Timeout"
