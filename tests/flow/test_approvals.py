"""Approvals: people are asked, over the API and by links, and what they say decides where the workflow goes on."""

import asyncio
from dataclasses import replace

import pytest

from linkflow.engine.approvals import Vote, decide
from linkflow.engine.watch import watch
from linkflow.stores.accounts import Accounts
from linkflow.stores.approvals import Approval, Approvals, Found
from tests.flow.house import House
from tests.flow.outside import Outside
from tests.flow.test_sub_workflows import node
from tests.flow.waiting import Json, notifying, path_of, sent, until_submitted


class Died(Exception):
    """The process is gone."""


class DyingApprovals(Approvals):
    """Dies right after a vote was written."""

    async def replace(self, found: Found, approval: Approval) -> bool:
        await super().replace(found, approval)
        raise Died


FORM = {
    "type": "object",
    "properties": {"amount": {"type": "integer", "title": "How much"}, "why": {"type": "string"}},
    "required": ["amount"],
}


def asking(**config: Json) -> Json:
    """`approved`, `rejected` and `expired` each lead to a node that says so."""
    ways = ("approved", "rejected", "expired")
    ask = node("ask", "approval", title="Pay <b>it</b>?", allow_self=True, **config)
    ends = [node(way, "set", values={"way": way, "told": "{{ nodes.ask }}"}) for way in ways]
    edges = [{"source": "ask", "target": way, "branch": way} for way in ways]
    return {
        "nodes": [node("start", "manual"), ask, *ends],
        "edges": [{"source": "start", "target": "ask"}, *edges],
    }


async def asked(house: House, definition: Json) -> tuple[str, Json]:
    """The execution, and its approval as the API shows it."""
    started = await house.start((await house.create(definition))["id"])
    await until_submitted(house, started["id"])
    found = (await house.http.get("/api/v1/approvals")).json()["data"]
    return started["id"], next(one for one in found if one["execution"] == started["id"])


async def say(house: House, approval: Json, decision: str, **more: Json) -> Json:
    path = f"/api/v1/approvals/{approval['id']}/decide"
    return await house.http.post(path, json={"decision": decision, **more})


@pytest.mark.parametrize("decision", ["approved", "rejected"])
async def test_who_is_asked_decides_which_way_it_goes_on(house: House, decision: str) -> None:
    execution, approval = await asked(house, asking(message="The bill"))
    assert (approval["status"], approval["title"], approval["required"]) == ("pending", "Pay <b>it</b>?", 1)
    answer = await say(house, approval, decision, comment="because")
    assert (answer.status_code, answer.json()["status"]) == (200, decision)
    done = await house.closed(execution)
    assert done["output"]["way"] == decision
    assert done["output"]["told"]["decision"] == decision
    assert done["output"]["told"]["decisions"][0]["comment"] == "because"
    late = await say(house, approval, "approved")
    assert (late.status_code, late.json()["error"]["code"]) == (409, "conflict")
    listed = (await house.http.get("/api/v1/approvals", params={"status": decision})).json()["data"]
    assert [one["id"] for one in listed] == [approval["id"]]
    assert (await house.http.get("/api/v1/approvals")).json()["data"] == []


async def test_what_nobody_decides_in_time_leaves_by_its_own_exit(house: House) -> None:
    execution, approval = await asked(house, asking(expires_in="{{ 1 }}"))
    done = await house.closed(execution)
    assert (done["status"], done["output"]["way"]) == ("succeeded", "expired")
    assert (await say(house, approval, "approved")).status_code == 409
    shown = (await house.http.get(f"/api/v1/approvals/{approval['id']}")).json()
    assert shown["status"] == "expired"


async def test_an_approval_needs_data_that_fits_its_form_and_a_rejection_none(house: House) -> None:
    execution, approval = await asked(house, asking(form=FORM))
    bad = await say(house, approval, "approved", data={"amount": "much", "why": 7})
    assert bad.status_code == 422
    assert {fault["path"] for fault in bad.json()["error"]["details"]} == {"$.data.amount", "$.data.why"}
    assert (await say(house, approval, "approved")).status_code == 422
    assert (await say(house, approval, "approved", data={"amount": 5})).status_code == 200
    assert (await house.closed(execution))["output"]["told"]["decisions"][0]["data"] == {"amount": 5}
    execution, approval = await asked(house, asking(form=FORM))
    assert (await say(house, approval, "rejected")).status_code == 200


async def test_who_started_it_may_not_decide_it_unless_allowed(house: House) -> None:
    definition = asking()
    definition["nodes"][1]["config"]["allow_self"] = False
    execution, approval = await asked(house, definition)
    mine = await say(house, approval, "approved")
    assert (mine.status_code, mine.json()["error"]["code"]) == (403, "not_asked")
    world = house.world
    owner = await Accounts(world.table).owner()
    assert owner is not None
    key = await Accounts(world.table).issue(owner.workspace, "us_other", "other", world.clock.now(), world.ids)
    path = f"/api/v1/approvals/{approval['id']}/decide"
    other = {"Authorization": f"Bearer {key}"}
    assert (await house.http.post(path, json={"decision": "approved"}, headers=other)).status_code == 200
    assert (await house.closed(execution))["output"]["way"] == "approved"


def polling(outside: Outside, people: list[str], required: int) -> Json:
    notify = notifying(outside, to="{{ approval.assignee }}", url="{{ approval.url }}", n="{{ trigger.n }}")
    return asking(assignees=people, required=required, notify=notify)


async def polled(house: House, outside: Outside, people: list[str], required: int) -> tuple[str, dict[str, str]]:
    """The execution, and the path of each person's link."""
    begins = len(outside.seen)
    execution, _ = await asked(house, polling(outside, people, required))
    told = [sent(outside, number) for number in range(begins, len(outside.seen))]
    return execution, {one["to"]: path_of(one["url"]) for one in told}


async def test_each_person_gets_a_link_and_counts_once(house: House, outside: Outside) -> None:
    execution, links = await polled(house, outside, ["ann", "bob", "cid"], 2)
    assert set(links) == {"ann", "bob", "cid"}
    page = await house.stranger.get(links["ann"])
    assert page.status_code == 200
    assert "Pay &lt;b&gt;it&lt;/b&gt;?" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert (await house.execution(execution))["status"] == "running"
    first = await house.stranger.post(links["ann"], data={"decision": "approved", "comment": "fine"})
    assert (first.status_code, "Others have still to decide" in first.text) == (200, True)
    assert (await house.stranger.post(links["ann"], data={"decision": "approved"})).status_code == 410
    last = await house.stranger.post(links["cid"], json={"decision": "approved"})
    assert (last.status_code, last.json()) == (200, {"status": "approved"})
    done = await house.closed(execution)
    assert [one["by"] for one in done["output"]["told"]["decisions"]] == ["ann", "cid"]
    over = await house.stranger.get(links["bob"])
    assert (over.status_code, "approved already" in over.text) == (410, True)


async def test_it_is_rejected_when_too_few_are_left_to_approve(house: House, outside: Outside) -> None:
    execution, links = await polled(house, outside, ["ann", "bob", "cid"], 2)
    await house.stranger.post(links["ann"], data={"decision": "rejected"})
    assert (await house.execution(execution))["status"] == "running"
    await house.stranger.post(links["bob"], data={"decision": "rejected"})
    assert (await house.closed(execution))["output"]["way"] == "rejected"


async def test_of_many_who_decide_at_once_none_is_lost_and_none_counts_twice(house: House, outside: Outside) -> None:
    people = [f"p{number}" for number in range(6)]
    execution, links = await polled(house, outside, people, 6)
    posts = [house.stranger.post(links[one], data={"decision": "approved"}) for one in people * 2]
    statuses = [answer.status_code for answer in await asyncio.gather(*posts)]
    assert statuses.count(200) == 6, statuses
    done = await house.closed(execution)
    assert sorted(one["by"] for one in done["output"]["told"]["decisions"]) == people


async def test_a_page_takes_the_form_and_says_what_is_wrong_with_it(house: House, outside: Outside) -> None:
    notify = notifying(outside, url="{{ approval.url }}")
    execution, _ = await asked(house, asking(form=FORM, notify=notify))
    link = path_of(sent(outside)["url"])
    assert "How much" in (await house.stranger.get(link)).text
    bad = await house.stranger.post(link, data={"decision": "approved", "data.why": "x"})
    assert (bad.status_code, "amount" in bad.text) == (422, True)
    assert (await house.stranger.post(link, data={"decision": "maybe"})).status_code == 422
    good = await house.stranger.post(link, data={"decision": "approved", "data.amount": "12"})
    assert good.status_code == 200
    assert (await house.closed(execution))["output"]["told"]["decisions"][0]["data"] == {"amount": 12}


async def test_what_need_not_be_decided_any_more_is_withdrawn(house: House, outside: Outside) -> None:
    execution, approval = await asked(house, asking(notify=notifying(outside, url="{{ approval.url }}")))
    await house.http.post(f"/api/v1/executions/{execution}/cancel", json={})
    await house.closed(execution)
    answer = await say(house, approval, "approved")
    assert (answer.status_code, "need not be decided" in answer.json()["error"]["message"]) == (409, True)
    link = path_of(sent(outside)["url"])
    assert (await house.stranger.get(link)).status_code == 410
    shown = (await house.http.get(f"/api/v1/approvals/{approval['id']}")).json()
    assert shown["status"] == "withdrawn"


@pytest.mark.parametrize("mended_by", ["a repetition", "a look", "the watchdog"])
async def test_a_decision_that_died_before_the_book_heard_is_told_later(house: House, mended_by: str) -> None:
    execution, approval = await asked(house, asking())
    world = house.world
    owner = await Accounts(world.table).owner()
    assert owner is not None
    engine = world.engine
    dying = replace(engine, approvals=DyingApprovals(engine.table))
    with pytest.raises(Died):
        await decide(dying, owner.workspace, approval["id"], Vote("us_other", "approved"))
    assert (await house.execution(execution))["status"] == "running"
    if mended_by == "a repetition":
        assert (await say(house, approval, "approved")).status_code == 409
    elif mended_by == "a look":
        assert (await house.http.get(f"/api/v1/approvals/{approval['id']}")).status_code == 200
    else:
        await watch(engine, world.clock.now() + 3_600)
    assert (await house.closed(execution))["output"]["way"] == "approved"


async def test_other_workspaces_see_and_decide_nothing(house: House) -> None:
    _, approval = await asked(house, asking())
    world = house.world
    key = await Accounts(world.table).issue("ws_other", "us_other", "other", world.clock.now(), world.ids)
    other = {"Authorization": f"Bearer {key}"}
    assert (await house.http.get("/api/v1/approvals", headers=other)).json()["data"] == []
    path = f"/api/v1/approvals/{approval['id']}"
    assert (await house.http.get(path, headers=other)).status_code == 404
    answer = await house.http.post(f"{path}/decide", json={"decision": "approved"}, headers=other)
    assert answer.status_code == 404


async def test_a_form_that_is_no_schema_or_too_few_people_are_found_before_it_is_saved(house: House) -> None:
    for config, path in (
        ({"form": {"type": "sum"}}, "$.definition.nodes[1].config.form.type"),
        ({"form": {"$ref": "http://elsewhere/x"}}, "$.definition.nodes[1].config.form.$ref"),
        ({"assignees": ["a"], "required": 2}, "$.definition.nodes[1].config"),
    ):
        answer = await house.http.post("/api/v1/workflows", json={"name": "x", "definition": asking(**config)})
        assert answer.status_code == 422
        assert path in {fault["path"] for fault in answer.json()["error"]["details"]}, answer.text


async def test_a_form_may_not_make_us_fetch_other_documents(house: House, outside: Outside) -> None:
    form = {"type": "object", "$ref": f"{outside.address}/schema"}
    computed = asking(form="{{ trigger.form }}")
    started = await house.start((await house.create(computed))["id"], {"form": form}, wait=30)
    assert started["error"]["code"] == "LinkFlow.BadConfig"
    assert outside.seen == []
