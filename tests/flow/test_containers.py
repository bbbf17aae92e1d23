"""Graphs inside nodes, on the whole house."""

from tests.flow.house import House
from tests.flow.outside import Outside


async def test_a_loop_calls_out_for_every_item_and_each_pass_can_be_seen(house: House, outside: Outside) -> None:
    call = {"id": "call", "type": "http_request", "config": {"url": f"{outside.address}/echo?n={{{{ item }}}}"}}
    bad = {"id": "bad", "type": "http_request", "config": {"url": "http://169.254.169.254/"}}
    sorry = {"id": "sorry", "type": "set", "config": {"values": {"why": "{{ error.code }}"}}}
    attempt = {"body": {"nodes": [bad]}, "handler": {"nodes": [sorry]}}
    each = {"items": "{{ trigger }}", "concurrency": 2, "body": {"nodes": [call]}}
    definition = {
        "nodes": [
            {"id": "start", "type": "manual"},
            {"id": "each", "type": "loop", "config": each},
            {"id": "attempt", "type": "try", "config": attempt},
        ],
        "edges": [{"source": "start", "target": "each"}, {"source": "each", "target": "attempt"}],
    }
    done = await house.execute(definition, [1, 2, 3])
    assert (done["status"], done["output"]) == ("succeeded", {"why": "refused_address"})
    assert {node["node"] for node in done["nodes"]} == {"start", "each", "call", "attempt", "bad", "sorry"}
    calls = [node for node in done["nodes"] if node["node"] == "call"]
    assert [call["output"]["status"] for call in calls] == [200, 200, 200]
    assert len({call["path"] for call in calls}) == 3
    told = (await house.http.get(f"/api/v1/executions/{done['id']}/history")).json()["data"]
    assert [event["type"] for event in told].count("MapIterationSucceeded") == 3
