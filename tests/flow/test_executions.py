"""Whole executions over REST: what people draw happens, once, and is told truthfully."""

import asyncio
from itertools import pairwise

import pytest

from tests.flow.door import BASE, Door
from tests.flow.house import House, node_of
from tests.flow.outside import Outside
from tests.unit.graphs import graph, node

QUICK = {"max_attempts": 4, "interval": 0.01, "backoff": 1}


async def test_a_workflow_answers_with_its_output(house: House) -> None:
    greet = node("greet", "set", {"values": {"text": "Hello, {{ trigger.name }}!"}})
    done = await house.execute(graph([node("start", "manual"), greet], "start -> greet"), {"name": "world"})
    assert (done["status"], done["output"]) == ("succeeded", {"text": "Hello, world!"})


async def test_http_is_called_with_what_was_drawn_and_its_json_answer_is_the_output(
    house: House, outside: Outside
) -> None:
    config = {
        "method": "POST",
        "url": outside.address + "/ok",
        "query": {"q": "{{ trigger.n }}", "many": [1, 2]},
        "headers": {"X-Order": "{{ trigger.n }}"},
        "body": {"n": "{{ trigger.n }}", "list": "{{ [1..3] }}"},
    }
    drawn = graph([node("start", "manual"), node("call", "http_request", config)], "start -> call")
    done = await house.execute(drawn, {"n": 7})
    assert done["output"]["status"] == 200
    assert done["output"]["body"]["body"] == {"n": 7, "list": [1, 2, 3]}
    assert outside.seen[0]["path"] == "/ok?q=7&many=1&many=2"
    assert outside.seen[0]["x-order"] == "7"
    assert outside.seen[0]["idempotency-key"]


async def test_a_flaky_endpoint_is_tried_again_with_the_same_key_and_every_attempt_is_told(
    house: House, outside: Outside
) -> None:
    call = node("call", "http_request", {"url": outside.address + "/flaky/2"}, retry=QUICK)
    done = await house.execute(graph([node("start", "manual"), call], "start -> call"))
    attempts = node_of(done, "call")["attempts"]
    assert done["status"] == "succeeded"
    assert [attempt["error"] and attempt["error"]["code"] for attempt in attempts] == [
        "http_status",
        "http_status",
        None,
    ]
    assert len(outside.keys) == 1


async def test_parallel_branches_truly_run_at_once(house: House, outside: Outside) -> None:
    names = [f"n{index}" for index in range(5)]
    calls = [node(name, "http_request", {"url": outside.address + "/together/5"}) for name in names]
    edges = [f"start -> {name}" for name in names] + [f"{name} -> join" for name in names]
    done = await house.execute(graph([node("start", "manual"), *calls, node("join", "merge")], *edges))
    assert done["status"] == "succeeded"
    assert set(done["output"]) == set(names)


@pytest.mark.parametrize(("path", "retryable"), [("/status/404", False), ("/status/500", True), ("/status/429", True)])
async def test_an_error_status_fails_the_node_and_only_passing_troubles_are_retried(
    house: House, outside: Outside, path: str, retryable: bool
) -> None:
    call = node("call", "http_request", {"url": outside.address + path}, retry=QUICK)
    done = await house.execute(graph([node("start", "manual"), call], "start -> call"))
    assert (done["status"], done["error"]["code"], done["error"]["node"]) == ("failed", "http_status", "call")
    assert outside.calls[path] == (4 if retryable else 1)


async def test_a_node_that_takes_too_long_times_out(house: House, outside: Outside) -> None:
    call = node("call", "http_request", {"url": outside.address + "/silent"}, timeout=0.2)
    done = await house.execute(graph([node("start", "manual"), call], "start -> call"))
    assert done["status"] == "failed"
    assert done["error"]["code"] in ("States.Timeout", "timeout")


async def test_a_delay_waits_and_the_branches_beside_it_do_not(house: House) -> None:
    nodes = [node("start", "manual"), node("wait", "delay", {"seconds": 1}), node("quick"), node("join", "merge")]
    done = await house.execute(
        graph(nodes, "start -> wait", "start -> quick", "wait -> join", "quick -> join"), {"x": 1}
    )
    assert done["output"] == {"wait": {"x": 1}, "quick": None}
    assert node_of(done, "quick")["exited_at"] < node_of(done, "wait")["exited_at"]


async def test_a_longer_delay_is_woken_by_its_timer(house: House) -> None:
    done = await house.execute(graph([node("start", "manual"), node("w", "delay", {"seconds": 2})], "start -> w"), 5)
    assert (done["status"], done["output"]) == ("succeeded", 5)


async def test_cancelling_ends_a_running_execution_and_its_call(house: House, outside: Outside) -> None:
    call = node("call", "http_request", {"url": outside.address + "/silent"}, timeout=50)
    workflow = await house.create(graph([node("start", "manual"), call], "start -> call"))
    started = await house.start(workflow["id"])
    await outside.called.wait()
    answer = await house.http.post(f"/api/v1/executions/{started['id']}/cancel", json={"reason": "enough"})
    assert answer.status_code == 202
    done = await house.closed(started["id"])
    assert done["status"] == "cancelled"
    again = await house.http.post(f"/api/v1/executions/{started['id']}/cancel", json={})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "conflict")


async def test_the_same_idempotency_key_starts_one_execution_and_another_request_under_it_is_refused(
    house: House,
) -> None:
    workflow = await house.create(graph([node("start", "manual"), node("a")], "start -> a"))
    first, again = await asyncio.gather(*(house.start(workflow["id"], {"n": 1}, key="k") for _ in range(2)))
    assert first["id"] == again["id"]
    other = await house.http.post(
        f"/api/v1/workflows/{workflow['id']}/execute", json={"input": {"n": 2}}, headers={"Idempotency-Key": "k"}
    )
    assert other.status_code == 409


async def test_a_batch_starts_as_many_as_it_names(house: House) -> None:
    workflow = await house.create(
        graph([node("start", "manual"), node("a", "set", {"values": {"n": "{{ trigger }}"}})], "start -> a")
    )
    body = {"executions": [{"input": n} for n in range(20)]}
    answer = await house.http.post(f"/api/v1/workflows/{workflow['id']}/execute/batch", json=body)
    done = [await house.closed(one["id"]) for one in answer.json()["data"]]
    assert [one["output"]["n"] for one in done] == list(range(20))


async def test_the_list_can_be_filtered_and_paged_without_losing_any(house: House) -> None:
    workflow = await house.create(graph([node("start", "manual"), node("a")], "start -> a"))
    ids = [(await house.start(workflow["id"], wait=30))["id"] for _ in range(7)]
    found: list[str] = []
    cursor = None
    while True:
        params = {"limit": 3, "status": "succeeded", "workflow": workflow["id"]} | (
            {"cursor": cursor} if cursor else {}
        )
        page = (await house.http.get("/api/v1/executions", params=params)).json()
        found += [one["id"] for one in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == ids[::-1]
    assert (await house.http.get("/api/v1/executions", params={"status": "failed"})).json()["data"] == []


async def test_the_book_has_no_gaps_and_tells_each_completion_once(house: House) -> None:
    names = [f"n{index}" for index in range(12)]
    edges = [f"{source} -> {target}" for source, target in pairwise(["start", *names])]
    done = await house.execute(graph([node("start", "manual"), *map(node, names)], *edges))
    events = (await house.events(done["id"]))["data"]
    turns = sorted({event["turn"] for event in events})
    assert turns == list(range(len(turns)))
    finished = [event["data"]["task"] for event in events if event["type"] == "TaskSucceeded"]
    assert sorted(finished) == sorted(set(finished))
    assert len(finished) == len(names)


async def test_large_values_survive(house: House) -> None:
    text = "é" * 150_000
    drawn = graph(
        [node("start", "manual"), node("a", "set", {"values": {"t": "{{ trigger.t }}"}}), node("b")],
        "start -> a",
        "a -> b",
    )
    done = await house.execute(drawn, {"t": text})
    assert node_of(done, "b")["input"] == {"t": text}


async def test_who_asks_behind_the_end_is_told_that_nothing_more_will_come(house: House) -> None:
    done = await house.execute(graph([node("start", "manual"), node("a")], "start -> a"))
    last = (await house.events(done["id"]))["next_after"]
    for after in (last, 999_999):
        page = await house.events(done["id"], after, wait=1)
        assert (page["data"], page["next_after"], page["closed"]) == ([], after, True)


async def test_who_asks_behind_what_is_recorded_of_an_open_execution_is_told_to_go_on(
    house: House, outside: Outside
) -> None:
    call = node("call", "http_request", {"url": outside.address + "/silent"}, timeout=50)
    workflow = await house.create(graph([node("start", "manual"), call], "start -> call"))
    started = await house.start(workflow["id"])
    page = await house.events(started["id"], 999_999)
    assert (page["data"], page["closed"]) == ([], False)


async def test_a_verb_that_needs_nothing_takes_no_body(house: House, outside: Outside) -> None:
    call = node("call", "http_request", {"url": outside.address + "/silent"}, timeout=50)
    workflow = await house.create(graph([node("start", "manual"), call], "start -> call"))
    begun = [await house.http.post(f"/api/v1/workflows/{workflow['id']}/execute") for _ in range(2)]
    assert [one.status_code for one in begun] == [202, 202]
    one, other = (one.json()["id"] for one in begun)
    door = await Door.of(house)
    for verb in ("pause", "resume", "cancel"):
        assert (await house.http.post(f"/api/v1/executions/{one}/{verb}")).status_code == 202
    assert (await door.send("POST", f"{BASE}/{other}/terminate")).status_code == 202
    assert [(await house.closed(each))["status"] for each in (one, other)] == ["cancelled", "terminated"]
