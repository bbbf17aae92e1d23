"""Graphs on the core: who runs when, what a node receives, and what a failure does."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkflow.execution.advance import advance, begin
from linkflow.execution.commands import RunTask
from linkflow.execution.events import (
    CancelRequested,
    ExecutionStarted,
    Names,
    News,
    TaskFailed,
    TaskSucceeded,
    TaskTimedOut,
    VisitResumed,
)
from linkflow.language.graph.check import check_graph
from linkflow.language.json import Json
from linkflow.nodes.catalog import NODES
from tests.unit.driver import Run, fails, gives, succeed
from tests.unit.graphs import graph, node, program

CHAIN = graph([node("start", "manual"), node("a"), node("b"), node("c")], "start -> a", "a -> b", "b -> c")
CHOICE = graph(
    [
        node("start", "manual"),
        node("big", "condition", {"all": [{"left": "{{ trigger.n }}", "operator": "greater", "right": 10}]}),
        node("yes"),
        node("no"),
        node("both", "merge"),
    ],
    "start -> big",
    "big -true-> yes",
    "big -false-> no",
    "yes -> both",
    "no -> both",
)


def diamond() -> dict[str, Json]:
    return graph(
        [node("start", "manual"), node("a"), node("b"), node("join", "merge")],
        "start -> a",
        "start -> b",
        "a -> join",
        "b -> join",
    )


def test_a_chain_runs_one_node_after_the_other() -> None:
    run = Run(program(CHAIN)).start()
    for name in "abc":
        (task,) = run.owed()
        assert task.node == name
        run.tell(succeed(task))
    assert run.state.status == "succeeded"


def test_parallel_branches_are_owed_at_the_same_time_and_joined_once() -> None:
    run = Run(program(diamond())).start()
    assert {task.node for task in run.owed()} == {"a", "b"}
    run.finish(gives(1))
    assert run.state.output == {"a": 1, "b": 1}
    assert run.visited().count("join") == 1


@pytest.mark.parametrize(("number", "taken"), [(11, "yes"), (10, "no")])
def test_only_the_taken_branch_runs_and_the_merge_behind_it_does_not_wait_for_the_other(
    number: int, taken: str
) -> None:
    run = Run(program(CHOICE)).start({"n": number}).finish(gives("done"))
    assert run.state.output == {taken: "done"}
    assert {"yes", "no"} & set(run.visited()) == {taken}


def test_a_dead_path_settles_everything_behind_it() -> None:
    nodes = [node("start", "manual"), node("gate", "condition", {"expression": False}), *map(node, ("x", "y", "z"))]
    run = Run(program(graph(nodes, "start -> gate", "gate -true-> x", "x -> y", "y -> z"))).start({"kept": 1}).finish()
    assert run.state.status == "succeeded"
    assert run.visited() == ["start", "gate"]
    assert run.state.output == {"kept": 1}


def test_the_first_branch_wins_a_merge_that_waits_for_the_first() -> None:
    nodes = [node("start", "manual"), node("a"), node("b"), node("m", "merge", {"wait_for": "first"}), node("end")]
    run = Run(program(graph(nodes, "start -> a", "start -> b", "a -> m", "b -> m", "m -> end"))).start()
    slow, quick = run.owed()
    run.tell(TaskSucceeded(quick.scope, quick.task, "quick"))
    assert {task.node for task in run.owed()} == {"a", "end"}
    run.finish()
    assert run.visited().count("m") == 1
    assert slow.node == "a"


def test_a_quorum_that_cannot_be_reached_skips_what_waits_for_it() -> None:
    nodes = [
        node("start", "manual"),
        node("gate", "condition", {"expression": True}),
        node("a"),
        node("b"),
        node("m", "merge", {"wait_for": "quorum", "quorum": 2}),
    ]
    drawn = graph(nodes, "start -> gate", "gate -true-> a", "gate -false-> b", "a -> m", "b -> m")
    assert "m" not in Run(program(drawn)).start().finish().visited()


def test_a_node_receives_its_predecessors_output_or_an_object_of_several() -> None:
    nodes = [node("start", "manual"), node("a"), node("b"), node("end", "set", {"values": {"got": "{{ input }}"}})]
    one = Run(program(graph(nodes, "start -> a", "a -> b", "b -> end"))).start().finish(gives(7))
    two = Run(program(graph(nodes, "start -> a", "start -> b", "a -> end", "b -> end"))).start().finish(gives(7))
    assert one.state.output == {"got": 7}
    assert two.state.output == {"got": {"a": 7, "b": 7}}


def test_expressions_see_trigger_nodes_execution_and_workflow() -> None:
    values = {
        "whole": "{{ trigger.order }}",
        "text": "n={{ trigger.order.n }} {{ trigger.none }}!",
        "node": "{{ nodes.a.x }}",
        "id": "{{ execution.id }}",
        "workflow": "{{ workflow.name }}",
        "sum": "{{ $sum(trigger.order.list) }}",
    }
    nodes = [node("start", "manual"), node("a"), node("end", "set", {"values": values})]
    run = Run(program(graph(nodes, "start -> a", "a -> end"))).start({"order": {"n": 1.5, "list": [1, 2]}})
    assert run.finish(gives({"x": True})).state.output == {
        "whole": {"n": 1.5, "list": [1, 2]},
        "text": "n=1.5 !",
        "node": True,
        "id": "ex_1",
        "workflow": "test",
        "sum": 3,
    }


def test_a_failure_stops_the_execution_and_gives_up_what_runs_beside_it() -> None:
    run = Run(program(diamond())).start()
    a, b = run.owed()
    run.tell(TaskFailed(a.scope, a.task, "Boom", "it broke"))
    assert (run.state.status, run.state.failure and run.state.failure.error) == ("failed", "Boom")
    assert run.tell(succeed(b)).state.status == "failed"


@pytest.mark.parametrize(("on_error", "edge"), [("continue", "a -> end"), ("branch", "a -error-> end")])
def test_a_failure_may_go_on_as_data(on_error: str, edge: str) -> None:
    nodes = [
        node("start", "manual"),
        node("a", on_error=on_error),
        node("end", "set", {"values": {"e": "{{ error }}"}}),
    ]
    run = Run(program(graph(nodes, "start -> a", edge))).start().finish(fails("Boom"))
    assert run.state.output == {"e": {"code": "Boom", "message": "Boom happened"}}


def test_retries_wait_longer_each_time_and_count_every_attempt() -> None:
    retry = {"max_attempts": 3, "interval": 2, "backoff": 3, "jitter": False}
    run = Run(program(graph([node("start", "manual"), node("a", retry=retry)], "start -> a"))).start()
    pauses, attempts = [], []
    while not run.state.closed:
        (task,) = run.owed()
        attempts.append(task.attempt)
        before = run.now
        run.tell(fails("Boom")(task))
        if not run.state.closed:
            pauses.append(run.later().now - before)
    assert (attempts, pauses, run.state.status) == ([1, 2, 3], [2, 6], "failed")


def test_every_attempt_of_one_entry_has_the_same_key_and_other_entries_have_others() -> None:
    retry = {"max_attempts": 2, "interval": 1}
    run = Run(
        program(graph([node("start", "manual"), node("a", retry=retry), node("b")], "start -> a", "a -> b"))
    ).start()
    (first,) = run.owed()
    (again,) = run.tell(fails("Boom")(first)).later().owed()
    (other,) = run.tell(succeed(again)).owed()
    assert first.key == again.key != other.key
    assert len({first.task, again.task, other.task}) == 3


def test_a_failure_that_forbids_retries_is_not_retried_and_a_wish_for_a_pause_is_granted() -> None:
    retry = {"max_attempts": 5, "interval": 1, "jitter": False}
    definition = program(graph([node("start", "manual"), node("a", retry=retry)], "start -> a"))
    assert Run(definition).start().finish(fails("Boom", retryable=False)).visited().count("a") == 1
    run = Run(definition).start()
    (task,) = run.owed()
    run.tell(TaskFailed(task.scope, task.task, "Busy", retry_after=30))
    assert run.later().now == 1_030


def test_a_task_that_takes_too_long_times_out() -> None:
    run = Run(program(graph([node("start", "manual"), node("a", timeout=5)], "start -> a"))).start()
    assert run.later().now == 1_005
    assert run.state.failure is not None
    assert run.state.failure.error == "States.Timeout"


def test_an_execution_that_takes_too_long_times_out() -> None:
    run, names = Run(program(CHAIN)), Names("ex_1", "ex_1", "wf_1", "test")
    run.state, _ = begin(run.program, ExecutionStarted(None, names, "ws_1", 1, "hash", deadline=1_010), run.now)
    assert advance(run.program, run.state, (), 1_009) == []
    advance(run.program, run.state, (), 1_010)
    assert run.state.status == "timed_out"


def test_a_delay_hands_its_input_on_when_its_moment_has_come_and_not_before() -> None:
    run = Run(program(graph([node("start", "manual"), node("w", "delay", {"seconds": 60})], "start -> w"))).start(
        {"x": 1}
    )
    assert run.later(1_059.9).state.status == "running"
    assert run.later(1_060).state.output == {"x": 1}


def test_cancelling_ends_it_once() -> None:
    run = Run(program(CHAIN)).start()
    (task,) = run.owed()
    run.tell(CancelRequested("us_1", "enough"), CancelRequested("us_1", "more"))
    assert run.state.status == "cancelled"
    assert run.tell(succeed(task)).state.status == "cancelled"


def test_a_task_that_keeps_killing_its_process_fails_in_the_end() -> None:
    run = Run(program(CHAIN)).start()
    for _ in range(3):
        tasks = tuple(task.task for task in run.owed())
        run.tell(VisitResumed(tasks))
    assert run.state.failure is not None
    assert run.state.failure.error == "LinkFlow.Interrupted"


def test_a_computed_config_that_does_not_fit_fails_the_node_with_the_path() -> None:
    run = Run(
        program(graph([node("start", "manual"), node("w", "delay", {"seconds": "{{ trigger.s }}"})], "start -> w"))
    )
    run.start({"s": "soon"})
    assert run.state.failure is not None
    assert "$.seconds" in (run.state.failure.cause or "")


def test_a_disabled_node_hands_its_input_on() -> None:
    run = Run(program(graph([node("start", "manual"), node("a", disabled=True), node("b")], "start -> a", "a -> b")))
    assert run.start({"x": 1}).owed()[0].node == "b"


def test_a_disabled_node_leaves_by_the_first_exit_that_it_has_when_enabled() -> None:
    """Disabling a condition changes nothing that is drawn behind it."""
    asks = node("asks", "condition", {"all": [{"left": 1, "operator": "equals", "right": 2}]}, disabled=True)
    edges = ("start -> asks", "asks -true-> yes", "asks -false-> no")
    run = Run(program(graph([node("start", "manual"), asks, node("yes"), node("no")], *edges))).start({"x": 1})
    assert run.finish(gives(7)).visited() == ["start", "asks", "yes"]


def test_other_triggers_than_the_one_that_started_it_are_skipped() -> None:
    nodes = [node("m", "manual"), node("h", "webhook"), node("a"), node("b")]
    run = Run(program(graph(nodes, "m -> a", "h -> b"))).start(start_at="h").finish()
    assert run.visited() == ["h", "b"]


@given(data=st.data())
@settings(deadline=None, max_examples=150)
def test_any_graph_with_any_failures_in_any_order_with_any_repetition_ends_the_same_and_owes_nothing(
    data: st.DataObject,
) -> None:
    definition = program(data.draw(_graphs()))
    failing = data.draw(st.sets(st.sampled_from([f"n{index}" for index in range(8)]), max_size=3))

    def answer(task: RunTask) -> News:
        return fails("Boom")(task) if task.node in failing else gives(task.node)(task)

    calm = Run(definition).start({"n": 1}).finish(answer)
    wild = Run(definition).start({"n": 1})
    told: list[News] = []
    while not wild.state.closed:
        tasks = wild.owed()
        task = data.draw(st.sampled_from(tasks))
        told.append(answer(task))
        repeated = data.draw(st.lists(st.sampled_from(told), max_size=2))
        wild.tell(*repeated, told[-1], *repeated)
    assert wild.owed() == []
    assert wild.state.status == calm.state.status
    if calm.state.status == "succeeded":
        assert wild.state.output == calm.state.output
        assert sorted(wild.visited()) == sorted(calm.visited())


def test_news_of_tasks_that_nobody_awaits_changes_nothing() -> None:
    run = Run(program(CHAIN)).start()
    before = run.replayed()
    run.tell(TaskSucceeded(7, 1, None), TaskSucceeded(2, 99, None), TaskTimedOut(0, 1), VisitResumed((99,)))
    assert run.state == before


@st.composite
def _graphs(draw: st.DrawFn) -> dict[str, Json]:
    """Edges lead from earlier nodes to later ones; conditions and failures cut branches."""
    count = draw(st.integers(2, 8))
    nodes, edges = [node("start", "manual")], []
    kinds = ["start"]
    for index in range(count):
        kind = draw(st.sampled_from(["no_op", "no_op", "condition", "merge", "set"]))
        config = {
            "condition": {"expression": draw(st.booleans())},
            "set": {"values": {"v": "{{ input }}"}},
            "merge": {},
            "no_op": {},
        }[kind]
        on_error = draw(st.sampled_from(["stop", "continue", "branch"])) if kind == "no_op" else "stop"
        nodes.append(node(f"n{index}", kind, config, on_error=on_error))
        for source in draw(st.sets(st.integers(0, index), min_size=1, max_size=3)):
            branch = "default"
            if kinds[source] == "condition":
                branch = draw(st.sampled_from(["true", "false"]))
            elif kinds[source] == "branch":
                branch = draw(st.sampled_from(["default", "error"]))
            name = "start" if source == 0 else f"n{source - 1}"
            edges.append({"source": name, "target": f"n{index}", "branch": branch})
        kinds.append("branch" if on_error == "branch" else kind)
    return {"nodes": nodes, "edges": edges}


def test_a_field_that_is_not_there_is_told_with_the_one_that_was_meant() -> None:
    drawn = graph([node("wait", "delay", {"second": 5})])
    (fault,) = check_graph(drawn, NODES).errors
    assert (fault.path, fault.code) == ("$.nodes[0].config.second", "extra_forbidden")
    assert fault.message == ("There is no field 'second' here; did you mean 'seconds'? Known: seconds, until.")


def test_an_unknown_field_is_a_fault_whatever_its_value_is_computed_from() -> None:
    drawn = graph([node("ask", "condition", {"condition": "{{ trigger.x }}"})])
    assert [fault.code for fault in check_graph(drawn, NODES).errors] == ["extra_forbidden"]


def test_a_field_that_nobody_knows_hides_no_other_fault() -> None:
    inner = {"nodes": [node("a", colour="red"), node("a")], "edges": [{"source": "a", "target": "x"}]}
    drawn = graph([node("start", "manual"), node("each", "loop", {"items": [1], "body": inner})], "start -> each")
    drawn["edges"][0]["brnch"] = "default"
    drawn["edges"].append({"source": "start", "target": "nowhere"})
    told = {fault.path: fault.code for fault in check_graph(drawn, NODES).errors}
    inside = "$.nodes[1].config.body"
    assert told == {
        "$.edges[0].brnch": "extra_forbidden",
        "$.edges[1].target": "dangling_edge",
        f"{inside}.nodes[0].colour": "extra_forbidden",
        f"{inside}.nodes[0].id": "duplicate_id",
        f"{inside}.nodes[1].id": "duplicate_id",
        f"{inside}.edges[0].target": "dangling_edge",
    }
    assert "did you mean 'branch'? Known: source, target, branch." in check_graph(drawn, NODES).errors[0].message


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("triger.n", "'triger' is nothing; did you mean 'trigger'?"),
        ("$string(triger.n[0])", "'triger' is nothing"),
        ("{'a': $map(trigger.list, function($x) { $x + offset })}", "'offset' is nothing"),
        ("nodes.ask.body & nodes.asc.status", "there is no node 'asc'; did you mean 'ask'?"),
        ("nodes.`ask`[0].body", ""),
        ("trigger.list[price > 3].name ~> $join(', ')", ""),
        ("vars.passes >= 2 ? item.triger : error.code", ""),
        ("$sum(trigger.lines.(price * quantity))", ""),
        ("($offset := 3; $offset + index)", ""),
        ("trigger.list^(price){name: $sum(price)}", ""),
    ],
)
def test_an_expression_that_can_never_find_anything_is_told_of(expression: str, said: str) -> None:
    nodes = [node("ask"), node("say", "set", {"values": {"v": [f"{{{{ {expression} }}}}"]}})]
    warnings = check_graph(graph(nodes, "ask -> say"), NODES).warnings
    assert [(one.path, one.code) for one in warnings] == [("$.nodes[1].config.values.v[0]", "finds_nothing")][
        : bool(said)
    ]
    assert all(said in one.message for one in warnings)
