"""Each node type by itself: what it makes of its config and input, and how it says no."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from linkflow.language.view import EvaluationFailed
from linkflow.nodes.base import NodeFailed, NodeRequest, NodeResponse
from linkflow.nodes.catalog import NODES
from linkflow.nodes.http_request import HttpRequest
from tests.unit.driver import Run, gives
from tests.unit.graphs import graph, node, program

NOW = 1_750_000_000.0


def evaluated(kind: str, config: dict[str, Any], given: Any) -> Any:
    """The output of one pure node behind a trigger, or the error it fails with."""
    run = Run(program(graph([node("start", "manual"), node("it", kind, config)], "start -> it"))).start(given)
    return run.state.failure.error if run.state.failure else run.state.output


@pytest.mark.parametrize(
    ("left", "operator", "right", "holds"),
    [
        (1, "equals", 1.0, True),
        (1, "equals", True, False),
        ("a", "not_equals", "b", True),
        (2, "greater", 1, True),
        ("b", "greater_or_equal", "b", True),
        (1, "less", 1, False),
        ("a", "less_or_equal", "b", True),
        ("abc", "contains", "b", True),
        ([1, True], "contains", 1, True),
        ([True], "contains", 1, False),
        ({"k": 1}, "contains", "k", True),
        (None, "contains", "x", False),
        ("abc", "not_contains", "x", True),
        ("abc", "starts_with", "a", True),
        (5, "ends_with", "5", False),
        ("a", "in", ["a"], True),
        (True, "is_true", None, True),
        (1, "is_true", None, False),
        (False, "is_false", None, True),
        ([], "is_empty", None, True),
        (0, "is_empty", None, False),
        ("x", "is_not_empty", None, True),
        (0, "exists", None, True),
        (None, "does_not_exist", None, True),
    ],
)
def test_a_condition_compares_without_guessing(left: Any, operator: str, right: Any, holds: bool) -> None:
    comparison = {"left": left, "operator": operator, "right": right}
    nodes = [node("start", "manual"), node("if", "condition", {"all": [comparison]}), node("yes"), node("no")]
    run = Run(program(graph(nodes, "start -> if", "if -true-> yes", "if -false-> no"))).start().finish()
    assert run.visited()[-1] == ("yes" if holds else "no")


@pytest.mark.parametrize(("left", "right"), [(1, "2"), (True, 1), (None, 1), ([1], [2])])
def test_what_has_no_order_is_an_error_and_not_a_guess(left: Any, right: Any) -> None:
    config = {"any": [{"left": left, "operator": "less", "right": right}]}
    assert evaluated("condition", config, None) == "LinkFlow.BadComparison"


def test_set_replaces_the_input_or_adds_to_it() -> None:
    assert evaluated("set", {"values": {"a": 1}}, {"b": 2}) == {"a": 1}
    assert evaluated("set", {"values": {"a": 1}, "keep_input": True}, {"a": 0, "b": 2}) == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("config", "left", "right", "merged"),
    [
        ({"combine": "append"}, [1], 2, [1, 2]),
        ({"combine": "position"}, [{"a": 1}, {"a": 2}], [{"b": 1}], [{"a": 1, "b": 1}, {"a": 2}]),
        (
            {"combine": "key", "key": "id"},
            [{"id": 1, "a": 1}, {"id": 2}],
            [{"id": 2, "b": 2}],
            [{"id": 1, "a": 1}, {"id": 2, "b": 2}],
        ),
        ({"combine": "position"}, [1], [2], "LinkFlow.BadMerge"),
    ],
)
def test_a_merge_combines_as_it_is_told(config: dict[str, Any], left: Any, right: Any, merged: Any) -> None:
    nodes = [node("start", "manual"), node("l"), node("r"), node("m", "merge", config)]
    run = Run(program(graph(nodes, "start -> l", "start -> r", "l -> m", "r -> m"))).start()
    run.finish(lambda task: gives(left if task.node == "l" else right)(task))
    assert (run.state.failure.error if run.state.failure else run.state.output) == merged


def test_respond_answers_once_and_hands_its_answer_on() -> None:
    nodes = [node("start", "manual"), node("r", "respond", {"status": 201, "body": {"x": "{{ trigger.x }}"}})]
    run = Run(program(graph(nodes, "start -> r"))).start({"x": 1})
    assert run.state.response == {"status": 201, "headers": {}, "body": {"x": 1}}
    assert run.state.output == {"x": 1}


@dataclass
class Answering:
    """The world of one task, in which every request gets the same answer."""

    response: NodeResponse
    key: str = "the-key"
    attempt: int = 1
    now: float = NOW
    remaining: float = 30.0
    requests: list[NodeRequest] = field(default_factory=list)

    @property
    def http(self) -> "Answering":
        return self

    async def send(self, request: NodeRequest) -> NodeResponse:
        self.requests.append(request)
        return self.response


def answer(status: int = 200, content: bytes = b"{}", **headers: str) -> NodeResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return NodeResponse(status, {"content-type": "application/json", **named}, content)


@pytest.mark.parametrize(
    ("config", "content", "kind"),
    [
        ({"body": {"a": 1}}, b'{"a":1}', "application/json"),
        ({"body": None}, b"null", "application/json"),
        (
            {"body": {"a": [1, 2], "b": "ü"}, "body_type": "form"},
            b"a=1&a=2&b=%C3%BC",
            "application/x-www-form-urlencoded",
        ),
        ({"body": "plain", "body_type": "text"}, b"plain", "text/plain; charset=utf-8"),
        ({}, b"", None),
    ],
)
async def test_a_body_is_sent_as_what_it_is(config: dict[str, Any], content: bytes, kind: str | None) -> None:
    world = Answering(answer())
    await HttpRequest(url="http://x/", method="POST", **config).run(world)
    (request,) = world.requests
    assert (request.content, request.headers.get("Content-Type")) == (content, kind)
    assert request.headers["Idempotency-Key"] == "the-key"


@pytest.mark.parametrize(
    ("header", "pause"),
    [("7", 7.0), ("Sun, 15 Jun 2025 15:06:50 GMT", 10.0), ("Sun, 15 Jun 2025 15:06:30 GMT", 0.0), ("soon", None)],
)
async def test_the_other_sides_wish_for_a_pause_is_understood(header: str, pause: float | None) -> None:
    with pytest.raises(NodeFailed) as caught:
        await HttpRequest(url="http://x/").run(Answering(answer(503, retry_after=header)))
    assert (caught.value.retryable, caught.value.retry_after) == (True, pause)


async def test_an_answer_that_is_not_the_json_it_says_is_an_error_and_any_status_may_be_accepted() -> None:
    with pytest.raises(NodeFailed) as caught:
        await HttpRequest(url="http://x/").run(Answering(answer(content=b"{")))
    assert caught.value.code == "bad_json"
    accepted = await HttpRequest(url="http://x/", accept_errors=True).run(Answering(answer(404, b'{"no": 1}')))
    assert accepted.output["status"] == 404
    assert accepted.output["body"] == {"no": 1}


@pytest.mark.parametrize("kind", sorted(NODES))
def test_a_config_with_unknown_fields_is_a_fault_and_one_to_be_computed_is_not(kind: str) -> None:
    faults = NODES[kind].faults({"no_such_field": 1})
    assert any(fault.path == "$.no_such_field" for fault in faults)
    names = {field.alias or name for name, field in NODES[kind].model_fields.items()}
    computed = dict.fromkeys(names - NODES[kind].fixed, "{{ input }}")
    told = [fault.path for fault in NODES[kind].faults(computed)]
    assert not set(told) - {"$", *(f"$.{name}" for name in NODES[kind].fixed)}


def test_what_was_computed_and_does_not_fit_names_the_field() -> None:
    with pytest.raises(EvaluationFailed) as caught:
        NODES["respond"].configured({"status": "teapot"})
    assert "$.status" in caught.value.cause


@pytest.mark.parametrize("kind", [kind for kind, node in NODES.items() if node.fixed])
def test_what_shapes_the_program_cannot_be_computed(kind: str) -> None:
    faults = NODES[kind].faults(dict.fromkeys(NODES[kind].fixed, "{{ input }}"))
    assert {fault.path for fault in faults if fault.code == "not_computable"} == {f"$.{f}" for f in NODES[kind].fixed}
