"""Nonsense: every fault at once, in one shape, with its path; and nothing is half saved."""

from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.flow.house import House
from tests.unit.graphs import graph, node

BAD: list[tuple[str, dict[str, Any], list[tuple[str, str]]]] = [
    (
        "duplicate ids",
        graph([node("a"), node("a")]),
        [("$.definition.nodes[0].id", "duplicate_id"), ("$.definition.nodes[1].id", "duplicate_id")],
    ),
    ("dangling edges", graph([node("a")], "a -> b"), [("$.definition.edges[0].target", "dangling_edge")]),
    ("unknown type", graph([node("a", "teleport")]), [("$.definition.nodes[0].type", "unknown_type")]),
    ("a cycle", graph([node("a"), node("b")], "a -> b", "b -> a"), [("$.definition.edges", "cycle")]),
    ("a cycle of one", graph([node("a")], "a -> a"), [("$.definition.edges", "cycle")]),
    (
        "unknown branch",
        graph([node("a"), node("b")], "a -maybe-> b"),
        [("$.definition.edges[0].branch", "unknown_branch")],
    ),
    (
        "bad expressions, both",
        graph([node("a", "set", {"values": {"x": "{{ 1 + }}", "y": "{{ a"}})]),
        [
            ("$.definition.nodes[0].config.values.x", "bad_expression"),
            ("$.definition.nodes[0].config.values.y", "bad_expression"),
        ],
    ),
    (
        "bad config, all of it",
        graph([node("a", "http_request", {"method": "YELL", "nonsense": 1})]),
        [
            ("$.definition.nodes[0].config.url", "missing"),
            ("$.definition.nodes[0].config.method", "literal_error"),
            ("$.definition.nodes[0].config.nonsense", "extra_forbidden"),
        ],
    ),
    ("unknown fields", {**graph([node("a")]), "color": "red"}, [("$.definition.color", "extra_forbidden")]),
    ("no nodes", {"nodes": [], "edges": []}, [("$.definition.nodes", "too_short")]),
    (
        "an edge into a trigger",
        graph([node("a"), node("m", "manual")], "a -> m"),
        [("$.definition.edges[0].target", "edge_into_trigger")],
    ),
    (
        "an impossible merge",
        graph([node("m", "merge", {"wait_for": "quorum"})]),
        [("$.definition.nodes[0].config", "value_error")],
    ),
]


@pytest.mark.parametrize(("definition", "faults"), [(bad[1], bad[2]) for bad in BAD], ids=[bad[0] for bad in BAD])
async def test_a_bad_graph_is_refused_with_every_fault_and_nothing_is_saved(
    house: House, definition: dict[str, Any], faults: list[tuple[str, str]]
) -> None:
    answer = await house.http.post("/api/v1/workflows", json={"name": "bad", "definition": definition})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "invalid")
    assert sorted((fault["path"], fault["code"]) for fault in error["details"]) == sorted(faults)
    assert all(fault["message"] for fault in error["details"])
    assert error["request_id"] == answer.headers["x-request-id"]
    assert (await house.http.get("/api/v1/workflows")).json()["data"] == []


async def test_a_node_that_no_trigger_leads_to_is_warned_about(house: House) -> None:
    created = await house.create(graph([node("start", "manual"), node("a"), node("lonely")], "start -> a"))
    assert [(one["path"], one["code"]) for one in created["warnings"]] == [("$.nodes[2]", "unreachable")]


@pytest.mark.parametrize("header", [None, "Bearer lf_wrong", "Bearer", "Basic abc", "Bearer other"])
async def test_without_a_valid_key_nothing_is_told(house: House, header: str | None) -> None:
    headers = {"Authorization": header or ""}
    for path in ("/api/v1/workflows", "/api/v1/executions/ex_1"):
        answer = await house.http.get(path, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/workflows/wf_none"),
        ("POST", "/api/v1/workflows/wf_none/execute"),
        ("GET", "/api/v1/executions/ex_none"),
        ("GET", "/api/v1/executions/ex_none/events"),
        ("POST", "/api/v1/executions/ex_none/cancel"),
        ("GET", "/api/v1/executions/a%23b"),
        ("GET", "/api/v1/nonsense"),
    ],
)
async def test_unknown_things_are_404(house: House, method: str, path: str) -> None:
    answer = await house.http.request(method, path, json={} if method == "POST" else None)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400),
        (b"[]", 422),
        (b'{"name": "x", "name2": 1}', 422),
        (b'{"name": "", "definition": {}}', 422),
        (b'{"name": NaN}', 400),
        (b"[" * 100_000, 400),
        (b'{"name": "' + b"x" * 5_000_000 + b'"}', 413),
        (b"\xff\xfe", 400),
    ],
)
async def test_bodies_that_are_not_what_they_should_be_are_refused(house: House, content: bytes, status: int) -> None:
    answer = await house.http.post("/api/v1/workflows", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"code", "message", "details", "request_id"}


async def test_a_form_where_json_is_wanted_is_told_so_in_one_sentence(house: House) -> None:
    answer = await house.http.post("/api/v1/workflows", data={"name": "x"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_media_type")
    assert "application/json" in answer.json()["error"]["message"]


async def test_the_apis_description_says_what_a_graph_is_made_of(house: House) -> None:
    described = (await house.http.get("/openapi.json")).json()
    OpenAPIV31SpecValidator(described).validate()
    made_of = described["components"]["schemas"]
    assert {"retry", "timeout", "on_error"} <= set(made_of["NodeDefinition"]["properties"])
    assert set(made_of["EdgeDefinition"]["properties"]) == {"source", "target", "branch"}
    assert "durability" in made_of["Settings"]["properties"]
