"""A drawn workflow as a plain state machine, through the same doors."""

from typing import Any

from tests.flow.house import House
from tests.flow.outside import Outside

Json = Any


def drawn(address: str) -> Json:
    return {
        "nodes": [
            {"id": "start", "type": "manual"},
            {"id": "fetch", "type": "http_request", "config": {"url": f"{address}/echo?n={{{{ trigger.n }}}}"}},
            {"id": "large", "type": "condition", "config": {"expression": "{{ trigger.n > 10 }}"}},
            {"id": "yes", "type": "set", "config": {"values": {"size": "large", "seen": "{{ nodes.fetch.status }}"}}},
            {"id": "no", "type": "set", "config": {"values": {"size": "small", "seen": "{{ nodes.fetch.status }}"}}},
        ],
        "edges": [
            {"source": "start", "target": "fetch"},
            {"source": "fetch", "target": "large"},
            {"source": "large", "target": "yes", "branch": "true"},
            {"source": "large", "target": "no", "branch": "false"},
        ],
    }


async def test_what_is_exported_can_be_created_again_and_gives_the_same(house: House, outside: Outside) -> None:
    graph = await house.create(drawn(outside.address))
    exported = (await house.http.get(f"/api/v1/workflows/{graph['id']}/export", params={"dialect": "asl"})).json()
    body = {"name": "moved", "dialect": "asl", "definition": exported["definition"]}
    machine = (await house.http.post("/api/v1/workflows", json=body)).json()
    for given in ({"n": 3}, {"n": 30}):
        ours = await house.start(graph["id"], given, wait=30)
        theirs = await house.start(machine["id"], given, wait=30)
        assert (ours["status"], ours["output"]) == (theirs["status"], theirs["output"])
        assert ours["output"]["seen"] == 200


async def test_tasks_get_the_resource_that_the_new_home_has_for_them(house: House, outside: Outside) -> None:
    graph = await house.create(drawn(outside.address))
    arn = "arn:aws:lambda:us-east-1:123456789012:function:linkflow-{type}"
    where = f"/api/v1/workflows/{graph['id']}/export"
    exported = await house.http.get(where, params={"resource": arn})
    assert arn.replace("{type}", "http_request") in exported.text
    assert (await house.http.get(where, params={"resource": "no place for a type"})).status_code == 422


async def test_a_state_machine_is_its_own_export_and_no_graph(house: House) -> None:
    definition = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
    body = {"name": "machine", "dialect": "asl", "definition": definition}
    where = f"/api/v1/workflows/{(await house.http.post('/api/v1/workflows', json=body)).json()['id']}/export"
    assert (await house.http.get(where)).json()["definition"] == definition
    assert (await house.http.get(where, params={"dialect": "graph"})).status_code == 409
