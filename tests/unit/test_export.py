"""A graph and what it is exported to are one workflow in two languages: node by node."""

from collections.abc import Mapping
from typing import Final, get_args

import pytest

from linkflow.language.asl import compile_asl
from linkflow.language.graph.export import Facts
from linkflow.language.json import Json
from linkflow.nodes.base import BaseNode
from linkflow.nodes.catalog import NODES
from linkflow.nodes.condition import Operator
from tests.unit.driver import Run
from tests.unit.exports import ODD, both, call, ends, exported, line, same, values
from tests.unit.graphs import graph, node, program


@pytest.mark.parametrize("value", ODD)
def test_values_go_through_as_they_are(value: Json) -> None:
    got: dict[str, Json] = {
        "whole": "{{ trigger }}",
        "input": "{{ input }}",
        "one": "{{ [trigger] }}",
        "text": "<{{ trigger }}>",
    }
    got |= {"listed": ["{{ trigger }}", 1], "lone": ["{{ trigger }}"], "there": "{{ $exists(trigger) }}"}
    same(line(values("a", **got), call("b", "{{ nodes.a.whole }}")), value)
    same(line(call("b", "{{ trigger }}"), node("c", "merge")), value)


@pytest.mark.parametrize("value", [{"x": None}, {}, {"x": [1]}, {"x": {"error": [0]}}])
@pytest.mark.parametrize(
    "source",
    [
        "$$.trigger.x",
        "$exists($$.trigger.x)",
        "$$",
        "$",
        "[$$.trigger.x, 1]",
        "trigger.(x = $$.trigger.x)",
        "'$$' & trigger.x /* $$ */",
        "$match('a$$', /\\$\\$/).match",
        "trigger.`x`",
        "trigger.x[]",
        "$keys(trigger)",
        "trigger.* ",
        "($x := trigger.x; $x)",
        "$lookup(trigger, 'x')",
        "$map([trigger.x], function($v) { $v })",
        "nodes.start",
        "nodes.none",
        "error",
        "$exists(error)",
        "trigger.x = null",
        "vars",
        "execution",
        "workflow",
        "workspace.id & 'x'",
        "true",
    ],
)
def test_an_expression_gives_the_same(source: str, value: Json) -> None:
    same(line(values("a", v=f"{{{{ {source} }}}}", text=f"a {{{{ {source} }}}} {{{{ trigger.x }}}}")), value)


def test_what_looks_like_an_expression_of_the_other_language_is_a_text() -> None:
    assert same(line(values("a", v="{% 1 + 1 %}", w="{%", x="%}"))) == {"v": "{% 1 + 1 %}", "w": "{%", "x": "%}"}


@pytest.mark.parametrize("keep", [True, False, "{{ trigger.keep }}"])
@pytest.mark.parametrize("value", [{"keep": True, "a": 1}, {"keep": False, "b": [1]}])
def test_set_keeps_its_input_where_it_should(keep: Json, value: Json) -> None:
    same(line(node("a", "set", {"values": {"a": "{{ trigger.b }}"}, "keep_input": keep})), value)


OPERATORS: Final = get_args(Operator)
LEFT_RIGHT: Final[list[tuple[Json, Json]]] = [
    (1, 1), (1, 2), (1, "1"), ("b", "abc"), ("abc", "b"), ("abc", "abc"), ("abc", ""), ("", "abc"), (None, None),
    (None, 1), (True, 1), (False, None), ([], None), ([1], 1), ([[1]], [1]), ([1, 2], 2), ({"a": 1}, "a"), ({}, "a"),
    ("a", ["a", "b"]), (1.5, 1), ("a", {"a": 1}), (True, None), ("null", None), ("[]", None), ("abcbc", "bc"),
]  # fmt: skip


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("kind", ["all", "any"])
def test_a_condition_decides_alike(operator: str, kind: str) -> None:
    compared: list[dict[str, Json]] = [{"left": "{{ trigger.l }}", "operator": operator, "right": "{{ trigger.r }}"}]
    compared.append({"left": 1, "operator": "equals", "right": 1 if kind == "all" else 2})
    nodes = [node("start", "manual"), node("if", "condition", {kind: compared}), values("y", v=1), values("n", v=2)]
    drawn = graph(nodes, "start -> if", "if -true-> y", "if -false-> n")
    program_, machine = program(drawn), compile_asl(exported(drawn).document)
    for left, right in LEFT_RIGHT:
        value = {"l": left, "r": right}
        assert ends(Run(machine).start(value).finish()) == ends(Run(program_).start(value).finish()), value


@pytest.mark.parametrize("value", [*ODD, True, 1, "TRUE", "no", "off", 2])
@pytest.mark.parametrize("on_error", ["stop", "continue", "branch"])
def test_a_conditions_expression_decides_alike(value: Json, on_error: str) -> None:
    decide = node("if", "condition", {"expression": "{{ trigger }}"}, on_error=on_error)
    nodes = [node("start", "manual"), decide, values("y", v=1), values("n", v=2), values("e", v="{{ error.code }}")]
    edges = ["start -> if", "if -true-> y", "if -false-> n", *(["if -error-> e"] if on_error == "branch" else [])]
    same(graph(nodes, *edges), value)


@pytest.mark.parametrize(
    "combine", [{}, {"combine": "append"}, {"combine": "position"}, {"combine": "key", "key": "{{ trigger.key }}"}]
)
@pytest.mark.parametrize("on_error", ["stop", "continue"])
@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1, 2),
        ([1], [2, [3]]),
        ([], []),
        ({"k": 1}, {"k": 1, "v": 2}),
        ([{"k": 1}], [{"k": "1"}, {"k": 1, "x": [1]}]),
        ([{"k": 1, "a": 1}, {"z": None}, {"k": None}], {"k": 2}),
        ([[{"k": 1}]], None),
        ([{}, {"a": [[1]]}], []),
    ],
)
def test_a_merge_combines_alike(combine: dict[str, Json], on_error: str, a: Json, b: Json) -> None:
    nodes = [node("start", "manual"), call("a", "{{ trigger.a }}"), call("b", "{{ trigger.b }}")]
    nodes.append(node("m", "merge", combine, on_error=on_error))
    same(graph(nodes, "start -> a", "start -> b", "a -> m", "b -> m"), {"a": a, "b": b, "key": "k"})


@pytest.mark.parametrize(
    "config", [{"seconds": 5}, {"seconds": 0}, {"seconds": "{{ trigger.s }}"}, {"until": "1970-01-01 01:00:00+00:00"}]
)
def test_a_delay_waits_as_long(config: dict[str, Json]) -> None:
    drawn = line(node("w", "delay", config))
    ours, theirs = Run(program(drawn)).start({"s": 7}), Run(compile_asl(exported(drawn).document)).start({"s": 7})
    assert ends(theirs.finish()) == ends(ours.finish())
    assert theirs.now == ours.now


def test_fractions_of_seconds_are_rounded_up_and_warned_about() -> None:
    retry = {"max_attempts": 3, "interval": 0.5, "max_interval": 2.5, "backoff": 3, "jitter": False}
    result = exported(line(node("w", "delay", {"seconds": 1.5}), call("a", retry=retry, timeout=1.5)))
    assert [(one.path, one.code) for one in result.warnings] == [
        ("$.nodes[2].timeout", "rounded_time"),
        ("$.nodes[2].retry.interval", "rounded_time"),
        ("$.nodes[2].retry.max_interval", "rounded_time"),
        ("$.nodes[1].config.seconds", "rounded_time"),
    ]
    states = result.document["States"]
    assert states["w"]["Seconds"] == 2
    assert states["a"]["TimeoutSeconds"] == 2
    never, again = states["a"]["Retry"]
    assert never["MaxAttempts"] == 0
    assert {"LinkFlow.BadConfig", "invalid_url"} <= set(never["ErrorEquals"])
    assert [again] == [
        {
            "ErrorEquals": ["States.ALL"],
            "IntervalSeconds": 1,
            "BackoffRate": 3,
            "MaxDelaySeconds": 3,
            "MaxAttempts": 2,
            "JitterStrategy": "NONE",
        }
    ]


def test_a_respond_node_hands_on_its_body_and_a_warning_says_that_nobody_is_answered() -> None:
    drawn = line(node("r", "respond", {"body": [1, "{{ trigger }}"]}), node("s", "respond"))
    assert same(drawn, 2) == [1, 2]
    assert {one.code for one in exported(drawn).warnings} == {"no_answer"}


def test_a_resource_is_made_of_the_template() -> None:
    facts = Facts("ws", 1, resource="arn:aws:lambda:us-east-1:1:function:linkflow-{type}")
    task = exported(line(call("a")), facts).document["States"]["a"]
    assert task["Resource"] == "arn:aws:lambda:us-east-1:1:function:linkflow-http_request"


def test_what_depends_on_who_is_quicker_is_warned_about() -> None:
    drawn = graph([node("start", "manual"), call("a"), values("b", v="{{ nodes.a }}")], "start -> a", "start -> b")
    (warning,) = exported(drawn).warnings
    assert (warning.path, warning.code) == ("$.nodes[2].config", "reads_elsewhere")
    assert exported(line(call("a"), values("b", v="{{ nodes.a }}"))).warnings == ()


def test_a_graph_with_very_many_last_nodes_gives_the_same() -> None:
    nodes = [node("start", "manual"), *(values(f"n{number}", v=number) for number in range(1_500))]
    drawn = graph(nodes, *(f"start -> n{number}" for number in range(1_500)))
    assert len(same(drawn)) == 1_500
    deciding = [node(f"if{at}", "condition", {"expression": at == 7}) for at in range(300)]
    deciding += [call("yes", [1])]
    drawn = graph([node("start", "manual"), *deciding], *(f"if{at} -false-> yes" for at in range(300)))
    same(drawn, [2])


def test_only_the_trigger_that_starts_runs() -> None:
    drawn = graph([node("one", "manual"), node("two", "webhook"), node("m", "merge")], "one -> m", "two -> m")
    machine = exported(drawn, Facts("ws", 1, start_at="two")).document
    assert ends(Run(compile_asl(machine)).start(5).finish()) == ends(Run(program(drawn)).start(5, "two").finish())


@pytest.mark.parametrize("wait_for", [{"wait_for": "first"}, {"wait_for": "quorum", "quorum": 2}])
@pytest.mark.parametrize("value", range(8))
def test_a_quorum_runs_or_is_skipped_alike(wait_for: Mapping[str, Json], value: int) -> None:
    nodes = [node("start", "manual"), node("m", "merge", dict(wait_for)), values("z", v=0)]
    edges = ["start -> z"]
    for bit, name in enumerate("abc"):
        taken = bool(value >> bit & 1)
        nodes += [node(f"if_{name}", "condition", {"expression": f"{{{{ {str(taken).lower()} }}}}"})]
        edges += [f"start -> if_{name}", f"if_{name} -true-> m"]
    drawn = graph(nodes, *edges)
    ours, theirs = both(drawn, {"v": 1})
    assert (theirs[0], "m" in theirs[1]) == (ours[0], "m" in ours[1])
    assert "waits_longer" in {one.code for one in exported(drawn).warnings}


def test_a_sub_workflow_is_waited_for_where_it_should_be() -> None:
    states = exported(line(node("a", "sub_workflow", {"workflow": "x"}))).document["States"]
    assert states["a"]["Resource"] == "linkflow:sub_workflow.sync"
    states = exported(line(node("a", "sub_workflow", {"workflow": "x", "wait": False}))).document["States"]
    assert states["a"]["Resource"] == "linkflow:sub_workflow"


def test_a_sub_workflow_elsewhere_is_warned_about() -> None:
    drawn = line(node("a", "sub_workflow", {"workflow": "x"}))
    elsewhere = Facts("ws", 1, resource="arn:aws:lambda:us-east-1:1:function:linkflow-{type}")
    assert ([one.code for one in exported(drawn, elsewhere).warnings], exported(drawn).warnings) == (
        ["other_service"],
        (),
    )


@pytest.mark.parametrize("kind", NODES.values(), ids=NODES)
def test_every_node_type_can_be_exported(kind: type[BaseNode]) -> None:
    assert kind.exported.__qualname__ != BaseNode.exported.__qualname__
