"""A graph and what it is exported to are one workflow in two languages: they end alike and give the same."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Final, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkflow.execution.commands import RunTask
from linkflow.execution.events import News, TaskFailed, TaskSucceeded
from linkflow.language.asl import compile_asl
from linkflow.language.asl_check import check_asl, errors
from linkflow.language.graph.check import check_graph
from linkflow.language.graph.export import Exported, Facts, export_asl
from linkflow.language.json import Json
from linkflow.nodes.base import BaseNode
from linkflow.nodes.catalog import NODES
from linkflow.nodes.condition import Operator
from tests.unit.driver import Run
from tests.unit.graphs import graph, node, program

FACTS: Final = Facts(workspace="ws_1", version=1)


def exported(drawn: dict[str, Json], facts: Facts = FACTS) -> Exported:
    checked = check_graph(drawn, NODES)
    assert checked.definition is not None, checked.errors
    result = export_asl(checked.definition, NODES, facts)
    assert errors(check_asl(result.document)) == []
    return result


def world(task: RunTask) -> News:
    """Tasks say in their own config what comes of them: the `body` is given back, `/fails` in the address fails."""
    asked = task.arguments
    if str(asked.get("url")).endswith("/fails"):
        return TaskFailed(task.scope, task.task, "Boom", "it broke")
    return TaskSucceeded(task.scope, task.task, asked.get("body"))


def call(name: str, body: Json = None, *, fails: bool = False, **more: Json) -> dict[str, Json]:
    url = "https://example.com/fails" if fails else "https://example.com/"
    return node(name, "http_request", {"url": url, "method": "POST", "body": body}, **more)


def ends(run: Run) -> tuple[str, Json]:
    """Status, and the output or the error's name; the words of errors differ between the languages."""
    failure = run.state.failure
    return run.state.status, wordless(run.state.output) if failure is None else failure.error


def wordless(value: Json) -> Json:
    match value:
        case {"code": str() as code, "message": _}:
            return {"code": code}
        case dict():
            return {name: wordless(one) for name, one in value.items()}
        case list():
            return [wordless(one) for one in value]
        case _:
            return value


def both(drawn: dict[str, Json], value: Json = None) -> tuple[tuple[str, Json], tuple[str, Json]]:
    """How the graph ends on the core, and how its export does."""
    machine = exported(drawn).document
    return ends(Run(program(drawn)).start(value).finish(world)), ends(
        Run(compile_asl(machine)).start(value).finish(world)
    )


def same(drawn: dict[str, Json], value: Json = None) -> Json:
    """Both end alike; gives the output, or the error."""
    ours, theirs = both(drawn, value)
    assert theirs == ours
    return ours[1]


def line(*nodes: dict[str, Json]) -> dict[str, Json]:
    """A trigger and these nodes one after the other."""
    names = ["start", *(one["id"] for one in nodes)]
    return graph([node("start", "manual"), *nodes], *(f"{a} -> {b}" for a, b in pairwise(names)))


def values(name: str, **made: Json) -> dict[str, Json]:
    return node(name, "set", {"values": made})


ODD: Final[list[Json]] = [
    None,
    [],
    [1],
    [[1]],
    [None],
    {},
    {"error": None},
    {"error": 1},
    0,
    False,
    "",
    "a",
    [1, [2]],
    1.5,
]
"""Values that JSONata likes to unwrap, to flatten or to lose."""


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


# ---------------------------------------------------------------- graphs inside nodes


def body(*nodes: dict[str, Json]) -> dict[str, Json]:
    """These nodes one after the other, as a graph inside a node."""
    drawn = graph(list(nodes), *(f"{a['id']} -> {b['id']}" for a, b in pairwise(nodes)))
    return {"nodes": drawn["nodes"], "edges": drawn["edges"]}


def sometimes(name: str, source: str) -> dict[str, Json]:
    """Fails where the item says so."""
    url = "https://example.com/{{ item.fails ? 'fails' : '' }}"
    return node(name, "http_request", {"url": url, "body": f"{{{{ {source} }}}}"})


@pytest.mark.parametrize("items", [[], [None], ODD, [[1]], [[1], [2]]])
def test_a_loop_gives_the_same_list(items: Json) -> None:
    seen = values("seen", item="{{ item }}", at="{{ index }}", all="{{ trigger }}", one="{{ nodes.start }}")
    same(line(node("each", "loop", {"items": "{{ trigger }}", "body": body(seen)}), node("m", "merge")), items)
    same(line(node("each", "loop", {"items": "{{ trigger }}", "body": body(sometimes("a", "input"))})), items)
    same(line(node("each", "loop", {"items": [1, "{{ trigger }}"], "body": body(sometimes("a", "item"))})), items)


TOLERANCES: Final[list[dict[str, Json]]] = [
    {},
    {"tolerated_failures": 1},
    {"tolerated_percentage": 50},
    {"tolerated_failures": "{{ 2 }}", "tolerated_percentage": 40.5},
]


@pytest.mark.parametrize("tolerated", TOLERANCES)
@pytest.mark.parametrize("failing", range(5))
@pytest.mark.parametrize("on_error", ["stop", "continue", "branch"])
def test_a_loop_tolerates_as_many_failures(tolerated: dict[str, Json], failing: int, on_error: str) -> None:
    config = {"items": "{{ trigger }}", "body": body(sometimes("a", "[item.n]")), **tolerated}
    items = [{"fails": number < failing, "n": number} for number in range(4)]
    same(line(node("each", "loop", config, on_error=on_error)), items)


def test_loops_in_loops_see_their_own_items_and_all_that_is_around_them() -> None:
    leaf = values("leaf", v="{{ item }}", i="{{ index }}", row="{{ nodes.row.v }}", all="{{ $keys(nodes) }}")
    inner = node("inner", "loop", {"items": "{{ item }}", "body": body(leaf)})
    outer = node("outer", "loop", {"items": "{{ trigger }}", "body": body(values("row", v="{{ item }}"), inner)})
    assert same(line(outer), [[1, 2], [], [[3]]]) != []


@pytest.mark.parametrize("value", [{"fails": True}, {}])
@pytest.mark.parametrize("retry", [None, {"max_attempts": 2}])
@pytest.mark.parametrize("on_error", ["stop", "continue"])
@pytest.mark.parametrize("handled", [True, False])
def test_a_try_ends_alike(value: Json, retry: Json, on_error: str, handled: bool) -> None:
    risky = node(
        "risky", "http_request", {"url": "https://example.com/{{ trigger.fails ? 'fails' : '' }}", "body": [1]}
    )
    first = values("first", code="{{ error.code }}", vars="{{ vars.error.code }}")
    second = values("second", code="{{ error.code }}", input="{{ input }}") if handled else call("second", fails=True)
    config = {"body": body(values("before", v=1), risky), "handler": body(first, second)}
    same(line(node("attempt", "try", config, retry=retry, on_error=on_error), node("m", "merge")), value)


@pytest.mark.parametrize(
    "until",
    ["{{ output.n >= 3 }}", "{{ vars.passes >= 2 }}", "{{ $count($keys(vars)) = 1 }}", True, "{{ 5 }}", "{{ false }}"],
)
@pytest.mark.parametrize("on_error", ["stop", "branch"])
def test_a_repeat_ends_alike(until: Json, on_error: str) -> None:
    more = values("more", n="{{ input.n + 1 }}", done="{{ vars.passes }}", vars="{{ vars }}", list=["{{ [input] }}"])
    config = {"until": until, "at_most": 5, "body": body(more)}
    same(line(values("zero", n=0), node("again", "repeat", config, on_error=on_error)))


def test_a_repeat_hands_on_what_json_can_hold() -> None:
    for value in ODD:
        config = {"until": "{{ vars.passes > 1 }}", "body": body(call("same", "{{ input }}"))}
        assert same(line(node("again", "repeat", config)), value) == value


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


# ---------------------------------------------------------------- any graph


def _sources(draw: st.DrawFn, ancestors: list[str]) -> str:
    choices = [
        "trigger",
        "trigger.x",
        "input",
        "input.v",
        "$$.trigger.x",
        "[input]",
        "$exists(error)",
        "trigger.x[]",
        "1",
    ]
    choices += [f"nodes.{name}" for name in ancestors] + [f"$exists(nodes.{name})" for name in ancestors]
    return draw(st.sampled_from(choices))


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, Json]:
    """Any graph in which all failures that end it bear the same name, since which of several comes first may differ."""
    breaks = draw(st.sampled_from(["tasks", "expressions"]))
    nodes, edges = [node("start", "manual")], []
    behind: dict[str, set[str]] = {"start": set()}
    exits = {"start": ["default"]}
    for number in range(draw(st.integers(1, 6))):
        name = f"n{number}"
        before = draw(
            st.lists(
                st.sampled_from(sorted(behind)),
                min_size=0 if draw(st.integers(0, 5)) == 0 else 1,
                max_size=3,
                unique=True,
            )
        )
        behind[name] = set().union(before, *(behind[one] for one in before))
        edges += [f"{one} -{draw(st.sampled_from(exits[one]))}-> {name}" for one in before]
        nodes.append(_node(draw, name, sorted(behind[name]), breaks))
        exits[name] = _exits(nodes[-1])
    return graph(nodes, *edges)


def _node(draw: st.DrawFn, name: str, ancestors: list[str], breaks: str) -> dict[str, Json]:
    kinds = [
        "set",
        "condition",
        "http_request",
        "http_request",
        "respond",
        *(["merge"] if ancestors and "_" not in name else []),
    ]
    kinds += ["loop", "try"] if len(name) < 6 else []
    kind = draw(st.sampled_from(kinds))
    more = {"on_error": draw(st.sampled_from(["stop", "continue", "branch"])), "disabled": draw(st.integers(0, 7)) == 0}
    source = f"{{{{ {_sources(draw, ancestors)} }}}}"
    broken = draw(st.integers(0, 3)) == 0
    if broken and breaks == "expressions":
        source = "{{ $error('no') }}"
    text = "x" + source if breaks == "tasks" else "the words of errors differ"
    match kind:
        case "set":
            return node(
                name, kind, {"values": {"v": source, "l": [source, text]}, "keep_input": draw(st.booleans())}, **more
            )
        case "condition":
            operator = draw(st.sampled_from(["equals", "exists", "is_empty", "contains"]))
            right = draw(st.sampled_from(["a", "error", 1] if operator == "contains" else ODD))
            return node(name, kind, {"all": [{"left": source, "operator": operator, "right": right}]}, **more)
        case "merge":
            return node(name, kind, {"combine": draw(st.sampled_from(["object", "append"]))}, **more)
        case "loop":
            inner = body(*(_node(draw, f"{name}_{one}", [], breaks) for one in range(draw(st.integers(1, 2)))))
            return node(name, kind, {"items": [source, None], "body": _wired(inner)}, **more)
        case "try":
            bodies = {key: body(_node(draw, f"{name}_{key[0]}", ancestors, breaks)) for key in ("body", "handler")}
            return node(name, kind, bodies, **more)
        case "respond":
            return node(name, kind, draw(st.sampled_from([{}, {"body": source}])), **more)
        case _:
            return call(name, source, fails=broken and breaks == "tasks", **more)


def _wired(inner: dict[str, Json]) -> dict[str, Json]:
    """With edges that the nodes really have."""
    exits = {one["id"]: _exits(one)[0] for one in inner["nodes"]}
    return {**inner, "edges": [{**edge, "branch": exits[edge["source"]]} for edge in inner["edges"]]}


def _exits(drawn: dict[str, Json]) -> list[str]:
    found = ["true", "false"] if drawn["type"] == "condition" else ["default"]
    return found + (["error"] if drawn["on_error"] == "branch" else [])


@settings(max_examples=150, deadline=None)
@given(graphs(), st.sampled_from([*ODD, {"x": [1]}, {"x": None, "error": "e"}]))
def test_any_graph_and_its_export_end_alike(drawn: dict[str, Json], value: Json) -> None:
    same(drawn, value)
