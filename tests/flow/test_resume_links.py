"""Waits for a callback: a link goes out, and what is posted to it comes back as the node's output."""

import asyncio

from tests.flow.house import House, node_of
from tests.flow.outside import Outside
from tests.flow.test_sub_workflows import node, row
from tests.flow.waiting import Json, notifying, path_of, sent, until_submitted


def asking(outside: Outside, **more: Json) -> Json:
    notify = notifying(outside, order="{{ trigger.order }}", url="{{ callback.url }}", token="{{ callback.token }}")
    return row(node("start", "manual"), {**node("wait", "wait_for_callback", notify=notify), **more})


async def asked(house: House, outside: Outside, definition: Json) -> tuple[str, str]:
    """The execution, and the path of the link that it sent out."""
    started = await house.start((await house.create(definition))["id"], {"order": 7})
    await until_submitted(house, started["id"])
    return started["id"], path_of(sent(outside, -1)["url"])


async def test_a_link_is_sent_out_and_what_is_posted_to_it_is_the_output(house: House, outside: Outside) -> None:
    execution, link = await asked(house, outside, asking(outside))
    assert sent(outside)["order"] == 7
    shown = await house.stranger.get(link)
    assert (shown.status_code, "waits here" in shown.text) == (200, True)
    assert (await house.execution(execution))["status"] == "running"
    assert (await house.stranger.post(link, json={"paid": True})).status_code == 202
    done = await house.closed(execution)
    assert (done["status"], done["output"]) == ("succeeded", {"paid": True})


async def test_it_is_good_once_however_many_follow_it(house: House, outside: Outside) -> None:
    execution, link = await asked(house, outside, asking(outside))
    answers = await asyncio.gather(*(house.stranger.post(link, json={"n": n}) for n in range(3)))
    assert {one.status_code for one in answers} <= {202, 410}
    assert (await house.closed(execution))["output"]["n"] in range(3)
    late = await house.stranger.post(link, json=1)
    assert (late.status_code, late.json()["error"]["code"]) == (410, "link_over")
    page = await house.stranger.get(link)
    assert (page.status_code, "link is over" in page.text) == (410, True)


async def test_a_form_a_text_and_nothing_at_all_are_outputs_too(house: House, outside: Outside) -> None:
    sends: list[tuple[Json, Json]] = [
        ({"data": {"a": "1", "b": ""}}, {"a": "1", "b": ""}),
        ({"content": b"hello"}, "hello"),
        ({}, None),
    ]
    for request, output in sends:
        execution, link = await asked(house, outside, asking(outside))
        assert (await house.stranger.post(link, **request)).status_code == 202
        assert (await house.closed(execution))["output"] == output
    execution, link = await asked(house, outside, asking(outside))
    bad = await house.stranger.post(link, content=b"{", headers={"Content-Type": "application/json"})
    assert bad.status_code == 400
    assert (await house.execution(execution))["status"] == "running"


async def test_a_link_that_was_changed_or_made_up_leads_nowhere(house: House, outside: Outside) -> None:
    execution, link = await asked(house, outside, asking(outside))
    for wrong in (link[:-4] + "AAAA", "/resume/nonsense", link.replace("/resume/", "/approvals/")):
        assert (await house.stranger.get(wrong)).status_code == 404
        assert (await house.stranger.post(wrong, json=1)).status_code == 404
    assert (await house.execution(execution))["status"] == "running"


async def test_after_the_timeout_the_wait_fails_and_the_link_says_so(house: House, outside: Outside) -> None:
    definition = asking(outside, timeout=1, on_error="continue")
    execution, link = await asked(house, outside, definition)
    assert (await house.closed(execution))["output"]["error"]["code"] == "States.Timeout"
    assert (await house.stranger.post(link, json=1)).status_code == 410


async def test_the_token_does_the_same_with_a_key(house: House, outside: Outside) -> None:
    execution, _ = await asked(house, outside, asking(outside))
    body = {"token": sent(outside)["token"], "output": 5}
    assert (await house.http.post("/api/v1/tasks/succeed", json=body)).status_code == 202
    assert (await house.closed(execution))["output"] == 5


async def test_a_notification_that_fails_is_tried_again_under_the_same_name(house: House, outside: Outside) -> None:
    notify = {**notifying(outside, url="{{ callback.url }}"), "url": f"{outside.address}/flaky/1"}
    retry = {"max_attempts": 3, "interval": 0.01}
    wait = {**node("wait", "wait_for_callback", notify=notify), "retry": retry}
    started = await house.start((await house.create(row(node("start", "manual"), wait)))["id"])
    await until_submitted(house, started["id"])
    assert [one["idempotency-key"] for one in outside.seen] == [outside.seen[0]["idempotency-key"]] * 2
    assert (await house.stranger.post(path_of(sent(outside, 1)["url"]), json=1)).status_code == 202
    done = await house.closed(started["id"])
    assert (done["output"], len(node_of(done, "wait")["attempts"])) == (1, 2)


async def test_in_a_loop_each_wait_has_its_own_link(house: House, outside: Outside) -> None:
    notify = notifying(outside, item="{{ item }}", url="{{ callback.url }}")
    body = {"nodes": [node("wait", "wait_for_callback", notify=notify)], "edges": []}
    each = node("each", "loop", items=["a", "b", "c"], concurrency=0, body=body)
    started = await house.start((await house.create(row(node("start", "manual"), each)))["id"])
    await until_submitted(house, started["id"], 3)
    for number in range(3):
        told = sent(outside, number)
        assert (await house.stranger.post(path_of(told["url"]), json=told["item"] * 2)).status_code == 202
    assert (await house.closed(started["id"]))["output"] == ["aa", "bb", "cc"]


async def test_whoever_reads_the_book_learns_no_link_and_cannot_make_one_up(house: House, outside: Outside) -> None:
    execution, link = await asked(house, outside, asking(outside))
    shown = (await house.http.get(f"/api/v1/executions/{execution}/events", params={"limit": 200})).text
    whole = shown + (await house.http.get(f"/api/v1/executions/{execution}")).text
    whole += (await house.http.get(f"/api/v1/executions/{execution}/history")).text
    assert link.rpartition("/")[2] not in whole
    assert sent(outside)["token"] not in whole
    assert '"salt"' not in whole
    assert (await house.stranger.post(link, json=1)).status_code == 202


async def test_an_execution_that_was_reset_into_its_wait_sends_out_a_link_of_its_own(
    house: House, outside: Outside
) -> None:
    execution, old = await asked(house, outside, asking(outside))
    events = (await house.http.get(f"/api/v1/executions/{execution}/events", params={"limit": 200})).json()["data"]
    turn = next(one["turn"] for one in events if one["type"] == "TaskScheduled")
    reset = await house.http.post(f"/api/v1/executions/{execution}/reset", json={"turn": turn})
    assert reset.status_code == 202, reset.text
    again = reset.json()["id"]
    await until_submitted(house, again)
    new = path_of(sent(outside, -1)["url"])
    assert new != old
    assert (await house.stranger.post(old, json=1)).status_code == 410
    assert (await house.stranger.post(new, json=2)).status_code == 202
    assert (await house.closed(again))["output"] == 2
