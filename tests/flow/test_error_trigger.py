"""A workflow that starts when another one fails."""

from linkflow.engine.closed import tell_listeners
from linkflow.messages import Closed
from linkflow.stores.accounts import Accounts
from tests.flow.house import House, Json
from tests.flow.test_sub_workflows import node, row

BAD = {"id": "bad", "type": "http_request", "config": {"url": "http://169.254.169.254/"}}


def failing(handler: str, **settings: Json) -> Json:
    return {**row(node("start", "manual"), BAD), "settings": {"error_workflow": handler, **settings}}


async def handled(house: House, workflow: str, count: int = 1) -> list[Json]:
    """Executions of the handler, as soon as there are so many."""
    for _ in range(100):
        found = (await house.http.get("/api/v1/executions", params={"workflow": workflow})).json()["data"]
        if len(found) >= count:
            return [await house.closed(one["id"]) for one in found]
        await house.world.clock.sleep(0.05)
    raise AssertionError("no handler was started")


async def test_it_is_told_what_failed_where_and_why(house: House) -> None:
    handler = await house.create(row(node("start", "error"), node("all", "set", values={"all": "{{ input }}"})), "sos")
    failed = await house.execute(failing("sos"), {"n": 1})
    (one,) = await handled(house, handler["id"])
    assert (one["status"], one["trigger"]) == ("succeeded", "error")
    told = one["output"]["all"]
    assert told["error"]["code"] == "refused_address"
    assert (told["execution"]["id"], told["execution"]["status"]) == (failed["id"], "failed")
    assert (told["node"]["id"], told["workflow"]["name"]) == ("bad", "test")
    assert told["execution"]["input"] == {"n": 1}


async def test_an_execution_that_takes_too_long_is_told_of_and_one_that_ends_well_is_not(house: House) -> None:
    handler = await house.create(row(node("start", "error")), "sos")
    well = {**row(node("start", "manual")), "settings": {"error_workflow": "sos"}}
    assert (await house.execute(well))["status"] == "succeeded"
    slow = {**row(node("start", "manual"), node("long", "delay", seconds=60)), "settings": {"timeout": 0.2}}
    slow["settings"]["error_workflow"] = handler["id"]
    assert (await house.execute(slow))["status"] == "timed_out"
    (one,) = await handled(house, handler["id"])
    assert one["input"]["error"]["code"] == "States.Timeout"
    assert one["input"]["execution"]["status"] == "timed_out"


async def test_an_error_workflow_that_fails_starts_nothing_and_neither_does_what_it_calls(house: House) -> None:
    await house.create(failing("sos"), "bad child")
    call = node("call", "sub_workflow", workflow="bad child")
    handler = await house.create({**row(node("start", "error"), call), "settings": {"error_workflow": "sos"}}, "sos")
    await house.execute(failing("sos"))
    (one,) = await handled(house, handler["id"])
    assert one["status"] == "failed"
    await house.execute(failing("sos"))
    assert len(await handled(house, handler["id"], 2)) == 2


async def test_told_again_it_starts_no_second_one_and_a_missing_workflow_harms_nobody(house: House) -> None:
    handler = await house.create(row(node("start", "error")), "sos")
    failed = await house.execute(failing("sos"))
    await handled(house, handler["id"])
    owner, engine = await Accounts(house.world.table).owner(), house.world.engine
    assert owner is not None
    for _ in range(2):
        await tell_listeners(engine, Closed(owner.workspace, failed["id"]))
    assert len(await handled(house, handler["id"])) == 1
    lost = await house.execute(failing("nobody"))
    await tell_listeners(engine, Closed(owner.workspace, lost["id"]))
    assert (await house.execution(lost["id"]))["status"] == "failed"


async def test_error_workflows_that_start_what_fails_again_come_to_an_end_that_says_why(house: House) -> None:
    call = node("call", "sub_workflow", workflow="bad", wait=False)
    handler = await house.create(row(node("start", "error"), call), "sos")
    await house.start((await house.create(failing("sos"), "bad"))["id"])
    found: list[Json] = []
    for _ in range(600):
        found = (await house.http.get("/api/v1/executions", params={"workflow": handler["id"]})).json()["data"]
        if any(one["status"] == "failed" for one in found):
            break
        await house.world.clock.sleep(0.05)
    (last,) = [await house.closed(one["id"]) for one in found if one["status"] == "failed"]
    assert (len(found), last["error"]["code"]) == (25, "LinkFlow.TooDeep")
    assert "25 error workflows" in last["error"]["message"]
