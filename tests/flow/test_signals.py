"""Signals over the API: told to a running execution, heard once, whoever drives it."""

import asyncio

from tests.flow.door import Door
from tests.flow.house import House, Json, node_of
from tests.flow.test_sub_workflows import node, row

WAITS = row(node("start", "manual"), node("paid", "wait_for_signal", name="paid"))


async def send(house: House, execution: str, name: str, payload: Json = None, **more: Json) -> Json:
    path = f"/api/v1/executions/{execution}/signal"
    return await house.http.post(path, json={"name": name, "payload": payload, **more})


async def test_a_running_execution_is_told_something_and_goes_on(house: House) -> None:
    started = await house.start((await house.create(WAITS))["id"])
    assert (await send(house, started["id"], "other", 1)).status_code == 202
    told = await send(house, started["id"], "paid", {"sum": 5})
    assert (told.status_code, told.json()["id"][:4]) == (202, "sig_")
    done = await house.closed(started["id"])
    assert (done["status"], done["output"]) == ("succeeded", {"sum": 5})
    assert node_of(done, "paid")["status"] == "succeeded"


async def test_a_signal_sent_twice_is_heard_once_and_one_that_comes_too_late_is_refused(house: House) -> None:
    twice = row(node("start", "manual"), *(node(f"n{n}", "wait_for_signal", name="go") for n in range(2)))
    started = await house.start((await house.create(twice))["id"])
    answers = await asyncio.gather(*(send(house, started["id"], "go", 1, id="first") for _ in range(3)))
    assert {answer.status_code for answer in answers} == {202}
    assert (await house.execution(started["id"]))["status"] == "running"
    assert (await send(house, started["id"], "go", 2, id="second")).status_code == 202
    assert (await house.closed(started["id"]))["output"] == 2
    assert (await send(house, started["id"], "go", 2, id="second")).status_code == 202
    late = await send(house, started["id"], "go", 3)
    assert (late.status_code, late.json()["error"]["code"]) == (409, "conflict")


async def test_branches_that_wait_at_the_same_time_get_one_each(house: House) -> None:
    body = {"nodes": [node("wait", "wait_for_signal", name="go")], "edges": []}
    each = node("each", "loop", items=[1, 2, 3, 4], concurrency=0, body=body)
    started = await house.start((await house.create(row(node("start", "manual"), each)))["id"])
    await asyncio.gather(*(send(house, started["id"], "go", number) for number in range(4)))
    assert sorted((await house.closed(started["id"]))["output"]) == [0, 1, 2, 3]


async def test_signals_that_cannot_be_taken_are_refused_with_a_reason(house: House) -> None:
    started = await house.start((await house.create(WAITS))["id"])
    large = await send(house, started["id"], "paid", "x" * 70_000)
    assert (large.status_code, large.json()["error"]["code"]) == (413, "too_large")
    assert (await send(house, "ex_nobody", "paid")).status_code == 404
    assert (await send(house, started["id"], "")).status_code == 422


CART = row(node("start", "manual"), *(node(f"n{n}", "wait_for_signal", name="item") for n in range(2)))


async def put_in(house: House, workflow: str, cart: str, payload: Json, **more: Json) -> Json:
    signal = {"name": "item", "payload": payload, **more}
    body = {"business_key": cart, "input": {"cart": cart}, "signal": signal}
    answer = await house.http.post(f"/api/v1/workflows/{workflow}/signal", json=body)
    assert answer.status_code == 202, answer.text
    return answer.json()


async def test_a_signal_starts_an_execution_where_none_is_open_with_that_key(house: House) -> None:
    workflow = (await house.create(CART))["id"]
    first = await put_in(house, workflow, "cart-1", "apple")
    second = await put_in(house, workflow, "cart-1", "pear")
    assert (first["new"], second["new"], first["execution"]) == (True, False, second["execution"])
    done = await house.closed(first["execution"])
    assert (done["output"], done["input"]) == ("pear", {"cart": "cart-1"})
    third = await put_in(house, workflow, "cart-1", "plum")
    assert (third["new"], third["execution"] != first["execution"]) == (True, True)
    other = await put_in(house, workflow, "cart-2", "plum")
    assert other["execution"] not in {first["execution"], third["execution"]}


async def test_several_who_signal_at_once_start_one_and_all_are_heard(house: House) -> None:
    many = row(node("start", "manual"), *(node(f"n{n}", "wait_for_signal", name="item") for n in range(6)))
    workflow = (await house.create(many))["id"]
    told = await asyncio.gather(*(put_in(house, workflow, "cart", number) for number in range(6)))
    (execution,) = {one["execution"] for one in told}
    done = await house.closed(execution)
    assert sorted(entry["output"] for entry in done["nodes"] if entry["node"] != "start") == list(range(6))


async def test_the_same_signal_again_finds_what_it_started_even_if_that_is_over(house: House) -> None:
    one = row(node("start", "manual"), node("wait", "wait_for_signal", name="item"))
    workflow = (await house.create(one))["id"]
    first = await put_in(house, workflow, "cart", 1, id="s1")
    await house.closed(first["execution"])
    again = await put_in(house, workflow, "cart", 1, id="s1")
    assert (again["execution"], again["new"]) == (first["execution"], False)


async def test_programs_signal_at_their_own_door(house: House) -> None:
    door = await Door.of(house)
    await house.create(CART, "cart")
    body = {"workflow": "cart", "business_key": "c", "signal": {"name": "item", "payload": 1}}
    started = (await door.send("POST", "/engine/v1/executions/signal-with-start", body)).json()
    assert started["new"]
    answer = await door.wish(started["id"], "signal", name="item", payload=2)
    assert answer.status_code == 202
    assert (await house.closed(started["id"]))["output"] == 2


async def test_who_goes_on_as_another_inherits_what_it_has_not_read(house: House) -> None:
    more = [{"left": "{{ trigger.n }}", "operator": "less", "right": 3}]
    nodes = [
        node("start", "manual"),
        node("wait", "wait_for_signal", name="item"),
        node("more", "condition", all=more),
        node("again", "continue_as_new", input="{{ {'n': trigger.n + 1, 'had': $append(trigger.had, [nodes.wait])} }}"),
        node("done", "set", values={"had": "{{ $append(trigger.had, [nodes.wait]) }}"}),
    ]
    edges = [("start", "wait"), ("wait", "more"), ("more", "again", "true"), ("more", "done", "false")]
    drawn = [dict(zip(("source", "target", "branch"), edge, strict=False)) for edge in edges]
    workflow = (await house.create({"nodes": nodes, "edges": drawn}))["id"]
    started = await house.start(workflow, {"n": 1, "had": []})
    for number in (1, 2):
        assert (await send(house, started["id"], "item", number)).status_code == 202
    late = await send(house, started["id"], "item", 3)
    assert late.status_code == 202
    for _ in range(100):
        found = (await house.http.get("/api/v1/executions", params={"status": "succeeded"})).json()["data"]
        if found:
            break
        await house.world.clock.sleep(0.05)
    assert (await house.execution(found[0]["id"]))["output"] == {"had": [1, 2, 3]}
