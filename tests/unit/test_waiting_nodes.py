"""Nodes that wait for the outside world: what is checked when they are saved, and what they are as state machines."""

import pytest

from linkflow.language.asl_check import check_asl
from linkflow.language.graph.check import check_graph
from linkflow.language.graph.definition import GraphDefinition
from linkflow.language.graph.export import Exported, Facts, export_asl
from linkflow.language.json import Json
from linkflow.nodes.catalog import NODES
from tests.unit.graphs import graph, node

NOTIFY = {"url": "http://x/", "method": "POST", "body": {"to": "{{ callback.url }}", "n": "{{ trigger.n }}"}}
ASK = {"title": "May I?", "notify": {"url": "http://x/", "body": "{{ approval.url }} {{ approval.assignee }}"}}
WAITS: dict[str, Json] = {
    "wait_for_signal": {"name": "paid", "filter": "{{ signal.payload.n = trigger.n and nodes.before.n = 1 }}"},
    "wait_for_event": {"type": "paid", "filter": "{{ event.data.n = trigger.n }}"},
    "wait_for_callback": {"notify": NOTIFY},
    "approval": {**ASK, "assignees": ["ann", "{{ trigger.boss }}"], "expires_in": "{{ trigger.days * 86400 }}"},
}


def drawn(kind: str) -> dict[str, Json]:
    nodes = [
        node("start", "manual"),
        node("before", "set", {"values": {"n": 1}}),
        node("wait", kind, WAITS[kind], timeout=60),
    ]
    edges = ["start -> before", "before -> wait"]
    if kind == "approval":
        for way in ("approved", "rejected", "expired"):
            nodes.append(node(way, "set", {"values": {"way": way}}))
            edges.append(f"wait -{way}-> {way}")
    return graph(nodes, *edges)


def exported(kind: str, resource: str = "linkflow:{type}") -> Exported:
    facts = Facts("ws_1", 1, resource=resource, start_at="start")
    return export_asl(GraphDefinition.model_validate(drawn(kind)), NODES, facts)


def task_of(document: Json) -> dict[str, Json]:
    """The state that waits, wherever it stands."""
    if isinstance(document, dict):
        if str(document.get("Resource", "")).startswith("linkflow:"):
            return document
        found = [task_of(value) for value in document.values()]
    else:
        found = [task_of(value) for value in document] if isinstance(document, list) else []
    return next((one for one in found if one), {})


@pytest.mark.parametrize("kind", WAITS)
def test_what_the_node_binds_by_itself_is_known_when_it_is_saved(kind: str) -> None:
    checked = check_graph(drawn(kind), NODES)
    assert (list(checked.errors), list(checked.warnings)) == ([], [])


@pytest.mark.parametrize("kind", WAITS)
def test_as_a_state_machine_it_waits_for_the_same_and_passes_the_check(kind: str) -> None:
    document = exported(kind).document
    assert [problem for problem in check_asl(document) if problem.severity == "ERROR"] == []
    assert task_of(document)["Resource"] == f"linkflow:{kind}"


def test_a_filter_goes_along_as_it_is_written_beside_what_it_mentions() -> None:
    given = task_of(exported("wait_for_signal").document)["Arguments"]
    assert given["filter"] == "signal.payload.n = trigger.n and nodes.before.n = 1"
    assert set(given["with"]) == {"trigger", "nodes"}


def test_an_approval_leaves_by_what_was_decided_or_by_its_being_late() -> None:
    state = task_of(exported("approval").document)
    assert "notify" not in state["Arguments"]
    assert state["Catch"][0]["ErrorEquals"] == ["States.Timeout"]
    assert "TimeoutSeconds" in state


@pytest.mark.parametrize("kind", WAITS)
def test_where_nobody_knows_how_to_wait_so_it_is_warned_about(kind: str) -> None:
    warned = {fault.code for fault in exported(kind, "arn:aws:lambda:us-east-1:1:function:{type}").warnings}
    assert warned & {"other_service", "no_address"}
