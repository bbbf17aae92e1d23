"""Events from elsewhere: they start workflows and end waits, once, whoever publishes them how often."""

import asyncio
from collections import Counter
from dataclasses import replace
from hashlib import sha256

import msgspec
import pytest

from linkflow.engine.publish import FEW, publish
from linkflow.stores import keys
from linkflow.stores.accounts import Accounts
from linkflow.stores.subscriptions import Subscription, Subscriptions
from tests.flow.house import House
from tests.flow.test_sub_workflows import node, row
from tests.flow.waiting import Json, until_submitted

TRIGGERED = row(node("start", "event", type="order.paid", filter="{{ event.data.sum > 10 }}"))
WAITING = row(
    node("start", "manual"),
    node("wait", "wait_for_event", type="order.paid", filter="{{ event.data.order = trigger.order }}"),
)


def event(identifier: str, **data: Json) -> Json:
    return {"specversion": "1.0", "id": identifier, "source": "/shop", "type": "order.paid", "data": data}


async def tell(house: House, told: Json) -> Json:
    answer = await house.http.post("/api/v1/events", json=told)
    assert answer.status_code == 202, answer.text
    return answer.json()


async def test_an_event_starts_the_workflows_whose_filter_lets_it_pass(house: House) -> None:
    await house.create(TRIGGERED)
    await house.create(row(node("start", "event", type="order.sent")))
    assert (await tell(house, event("small", sum=5)))["started"] == []
    told = await tell(house, {**event("large", sum=50), "traceid": "t1"})
    (started,) = told["started"]
    done = await house.closed(started)
    assert (done["status"], done["trigger"]) == ("succeeded", "event")
    assert done["output"] == {**event("large", sum=50), "traceid": "t1"}


async def test_a_repeated_event_starts_nothing_again_and_one_of_another_source_does(house: House) -> None:
    workflow = await house.create(TRIGGERED)
    answers = await asyncio.gather(*(tell(house, event("e", sum=50)) for _ in range(4)))
    assert len({tuple(answer["started"]) for answer in answers}) == 1
    again = await tell(house, event("e", sum=50))
    assert (again["repeated"], again["started"]) == (True, answers[0]["started"])
    other = await tell(house, {**event("e", sum=50), "source": "/market"})
    assert other["started"] != again["started"]
    found = (await house.http.get("/api/v1/executions", params={"workflow": workflow["id"]})).json()["data"]
    assert len(found) == 2


async def waiting(house: House, order: int) -> str:
    started = await house.start((await house.create(WAITING))["id"], {"order": order})
    await until_submitted(house, started["id"])
    identifier: str = started["id"]
    return identifier


async def test_an_event_ends_the_waits_that_it_fits_and_no_others(house: House) -> None:
    seven, eight = await waiting(house, 7), await waiting(house, 8)
    told = await tell(house, event("e", order=7))
    assert told["ended"] == [seven]
    assert (await house.closed(seven))["output"]["data"] == {"order": 7}
    assert (await house.execution(eight))["status"] == "running"
    assert (await tell(house, event("f", order=8)))["ended"] == [eight]


async def test_one_that_came_before_the_wait_does_not_end_it_even_if_it_comes_again(house: House) -> None:
    await tell(house, event("early", order=7))
    execution = await waiting(house, 7)
    again = await tell(house, event("early", order=7))
    assert (again["repeated"], again["ended"]) == (True, [])
    assert (await house.execution(execution))["status"] == "running"


async def test_a_wait_that_is_over_is_forgotten_when_an_event_comes(house: House) -> None:
    execution = await waiting(house, 7)
    await house.http.post(f"/api/v1/executions/{execution}/cancel", json={})
    await house.closed(execution)
    owner = await Accounts(house.world.table).owner()
    assert owner is not None
    assert [one.execution async for one in house.world.engine.subscriptions.of(owner.workspace, "order.paid")]
    assert (await tell(house, event("e", order=7)))["ended"] == []
    assert not [one async for one in house.world.engine.subscriptions.of(owner.workspace, "order.paid")]


async def test_without_one_in_time_it_is_a_timeout(house: House) -> None:
    definition = row(node("start", "manual"), {**node("wait", "wait_for_event", type="x"), "timeout": 0.5})
    done = await house.start((await house.create(definition))["id"], wait=30)
    assert done["error"]["code"] == "States.Timeout"


async def test_a_state_machine_waits_for_events_too(house: House) -> None:
    wait = {
        "Type": "Task",
        "Resource": "linkflow:wait_for_event",
        "Arguments": {
            "type": "order.paid",
            "filter": "event.data.order = order",
            "with": {"order": "{% $states.input.order %}"},
        },
        "Output": "{% $states.result.data %}",
        "End": True,
    }
    machine = {"QueryLanguage": "JSONata", "StartAt": "Wait", "States": {"Wait": wait}}
    body = {"name": "machine", "dialect": "asl", "definition": machine}
    created = (await house.http.post("/api/v1/workflows", json=body)).json()
    started = await house.start(created["id"], {"order": 3})
    await until_submitted(house, started["id"])
    await tell(house, event("e", order=3))
    assert (await house.closed(started["id"]))["output"] == {"order": 3}


async def test_hundreds_who_wait_are_all_told(house: House) -> None:
    workflow = await house.create(WAITING)
    executions = [{"input": {"order": 7}, "name": f"n{number}"} for number in range(120)]
    path = f"/api/v1/workflows/{workflow['id']}/execute/batch"
    started = (await house.http.post(path, json={"executions": executions})).json()["data"]
    for one in started:
        await until_submitted(house, one["id"])
    told = await tell(house, event("e", order=7))
    assert sorted(told["ended"]) == sorted(one["id"] for one in started)


async def test_more_than_a_request_can_tell_are_told_behind_its_answer(house: House) -> None:
    """With thousands of subscribers the request took longer than anybody waits, and so did each repetition."""
    await house.create(TRIGGERED)
    first, *_ = executions = [await waiting(house, order) for order in (7, 8, 7)]
    owner = await Accounts(house.world.table).owner()
    assert owner is not None
    now, subscriptions = house.world.clock.now(), house.world.engine.subscriptions
    gone = [Subscription(owner.workspace, "order.paid", now, execution=f"ex_{number}") for number in range(2 * FEW)]
    await asyncio.gather(*(subscriptions.add(one) for one in gone))
    told = await tell(house, event("e", order=7, sum=50))
    assert (told["queued"], told["repeated"], told["started"], told["ended"]) == (True, False, [], [])
    for identifier in (first, executions[2]):
        assert (await house.closed(identifier))["output"]["data"]["order"] == 7
    assert (await house.execution(executions[1]))["status"] == "running"
    key = keys.published(owner.workspace, sha256(msgspec.json.encode(["/shop", "e"])).hexdigest())
    while (item := await house.world.table.get(key)) is not None and item.payload is not None:
        await house.world.clock.sleep(0.05)
    again = await tell(house, event("e", order=7, sum=50))
    assert (again["queued"], again["repeated"]) == (True, True)
    left = [one.execution async for one in subscriptions.of(owner.workspace, "order.paid")]
    assert left == ["", executions[1]] or left == [executions[1], ""]
    found = (await house.http.get("/api/v1/executions", params={"limit": 100})).json()["data"]
    assert [one["trigger"] for one in found].count("event") == 1


class Died(Exception):
    """The process is gone."""


class Dying(Subscriptions):
    """Dies when it is asked to forget the subscriber who was told first."""

    async def remove(self, subscription: Subscription) -> None:  # noqa: ARG002 (nobody is forgotten)
        raise Died


async def test_a_publication_that_died_in_the_middle_is_finished_by_its_repetition_and_reaches_nobody_new(
    house: House,
) -> None:
    await house.create(TRIGGERED)
    first = await waiting(house, 7)
    owner = await Accounts(house.world.table).owner()
    assert owner is not None
    dying = replace(house.world.engine, subscriptions=Dying(house.world.table))
    with pytest.raises(Died):
        await publish(dying, owner.workspace, event("e", order=7, sum=50))
    assert (await house.closed(first))["status"] == "succeeded"
    late = await waiting(house, 7)
    told = await tell(house, event("e", order=7, sum=50))
    assert (told["repeated"], len(told["started"]), told["ended"]) == (False, 1, [])
    assert (await house.execution(late))["status"] == "running"
    triggers = Counter(
        one["trigger"] for one in (await house.http.get("/api/v1/executions", params={"limit": 100})).json()["data"]
    )
    assert triggers["event"] == 1


@pytest.mark.parametrize(
    ("change", "path"),
    [({"id": ""}, "$.body.id"), ({"specversion": "0.3"}, "$.body.specversion"), ({"type": 7}, "$.body.type")],
)
async def test_what_is_no_event_is_refused_with_the_reason(house: House, change: Json, path: str) -> None:
    answer = await house.http.post("/api/v1/events", json={**event("e"), **change})
    assert (answer.status_code, answer.json()["error"]["details"][0]["path"]) == (422, path)


async def test_an_event_may_call_itself_what_the_standard_says(house: House) -> None:
    await house.create(TRIGGERED)
    kind = {"Content-Type": "application/cloudevents+json; charset=utf-8"}
    answer = await house.http.post("/api/v1/events", json=event("e", sum=50), headers=kind)
    assert (answer.status_code, len(answer.json()["started"])) == (202, 1)
