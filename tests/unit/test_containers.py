"""Graphs inside nodes: loop, repeat and try."""

from typing import Any

from linkflow.execution.commands import RunTask
from linkflow.execution.events import News, TaskFailed, TaskSucceeded
from linkflow.language.graph.check import check_graph
from linkflow.language.json import Json
from linkflow.nodes.catalog import NODES
from tests.unit import graphs
from tests.unit.driver import Run, fails, gives
from tests.unit.graphs import node, program


def graph(*nodes: Any, edges: Any = ()) -> dict[str, Any]:
    drawn = graphs.graph(list(nodes), *edges)
    return {"nodes": drawn["nodes"], "edges": drawn["edges"]}


def only(*nodes: Any, edges: Any = ()) -> Run:
    return Run(program(graph(node("start", "manual"), *nodes, edges=[f"start -> {nodes[0]['id']}", *edges])))


def failing_on(*bad: Json) -> Any:
    def answer(task: RunTask) -> News:
        if task.arguments["url"] in bad:
            return TaskFailed(task.scope, task.task, "Bad", f"{task.arguments['url']} is bad", retryable=False)
        return TaskSucceeded(task.scope, task.task, task.arguments["url"])

    return answer


def call(url: str = "{{ item }}", **more: Any) -> dict[str, Any]:
    return node("call", "http_request", {"url": url}, **more)


def loop(**config: Any) -> dict[str, Any]:
    return node("each", "loop", {"items": "{{ trigger.list }}", "body": graph(call()), **config})


def test_a_loop_gives_what_its_passes_made_in_the_order_of_the_items() -> None:
    body = graph(
        node("twice", "set", {"values": {"n": "{{ item * 2 }}", "at": "{{ index }}", "of": "{{ trigger.of }}"}})
    )
    run = only(node("each", "loop", {"items": "{{ trigger.list }}", "body": body})).start({"list": [5, 6], "of": "all"})
    assert run.finish().state.output == [{"n": 10, "at": 0, "of": "all"}, {"n": 12, "at": 1, "of": "all"}]


def test_a_loop_over_nothing_gives_an_empty_list_and_over_no_list_an_error() -> None:
    assert only(loop()).start({"list": []}).finish().state.output == []
    failed = only(loop()).start({"list": "abc"}).finish().state
    assert failed.failure is not None
    assert (failed.failure.error, "must be a list" in str(failed.failure.cause)) == ("LinkFlow.BadConfig", True)


def test_a_loop_works_on_no_more_items_at_the_same_time_than_it_may() -> None:
    run = only(loop(concurrency=2)).start({"list": ["a", "b", "c", "d"]})
    most = 0
    while not run.state.closed:
        owed = run.owed()
        most = max(most, len(owed))
        run.tell(TaskSucceeded(owed[0].scope, owed[0].task, owed[0].arguments["url"]))
    assert (most, run.state.output) == (2, ["a", "b", "c", "d"])


def test_a_tolerated_failure_leaves_an_error_in_its_place_and_one_more_fails_the_loop() -> None:
    given = {"list": ["a", "bad", "c", "worse"]}
    tolerant = only(loop(tolerated_failures=1)).start(given).finish(failing_on("bad")).state
    assert tolerant.output == ["a", {"error": {"code": "Bad", "message": "bad is bad"}}, "c", "worse"]
    failed = only(loop(tolerated_failures=1)).start(given).finish(failing_on("bad", "worse")).state
    assert failed.failure is not None
    assert failed.failure.error == "States.ExceedToleratedFailureThreshold"
    half = only(loop(tolerated_percentage=50)).start(given).finish(failing_on("bad", "worse")).state
    assert half.status == "succeeded"


def test_loops_stand_in_loops_and_see_their_own_items() -> None:
    inner = node(
        "inner", "loop", {"items": "{{ item }}", "body": graph(node("leaf", "set", {"values": {"v": "{{ item }}"}}))}
    )
    run = only(node("outer", "loop", {"items": "{{ trigger }}", "body": graph(inner)})).start([[1, 2], [], [3]])
    assert run.finish().state.output == [[{"v": 1}, {"v": 2}], [], [{"v": 3}]]


def test_a_repeat_hands_each_pass_what_the_one_before_made_until_its_condition_holds() -> None:
    body = graph(node("more", "set", {"values": {"n": "{{ input.n + 1 }}", "pass": "{{ vars.passes }}"}}))
    repeat = node("again", "repeat", {"until": "{{ output.n >= 3 }}", "body": body})
    assert only(repeat).start({"n": 0}).finish().state.output == {"n": 3, "pass": 2}


def test_a_repeat_that_never_ends_is_ended() -> None:
    body = graph(node("same", "set", {"values": {"n": 1}}))
    failed = only(node("again", "repeat", {"until": "{{ false }}", "at_most": 5, "body": body})).start().finish().state
    assert failed.failure is not None
    assert (failed.failure.error, "After 5 passes" in str(failed.failure.cause)) == ("LinkFlow.TooManyPasses", True)


def test_each_pass_of_a_repeat_has_its_own_idempotency_key() -> None:
    repeat = node("again", "repeat", {"until": "{{ vars.passes >= 3 }}", "body": graph(call("u"))})
    run = only(repeat).start()
    keys = []
    while not run.state.closed:
        keys.append(run.owed()[0].key)
        run.tell(TaskSucceeded(run.owed()[0].scope, run.owed()[0].task, None))
    assert len(keys) == len(set(keys)) == 3


def attempted(handler: Any, **more: Any) -> dict[str, Any]:
    return node("attempt", "try", {"body": graph(call("u")), "handler": handler}, **more)


def test_a_try_whose_body_ends_well_is_done_and_its_handler_never_runs() -> None:
    run = only(attempted(graph(node("sorry", "set", {"values": {}})))).start().finish()
    assert (run.state.output, "sorry" in run.visited()) == ({"url": "u"}, False)


def test_every_node_of_a_handler_sees_the_error() -> None:
    first = node("first", "set", {"values": {"code": "{{ error.code }}"}})
    second = node("second", "set", {"values": {"said": "{{ error.message }}", "code": "{{ input.code }}"}})
    run = only(attempted(graph(first, second, edges=["first -> second"])))
    assert run.start().finish(fails("Boom")).state.output == {"said": "Boom happened", "code": "Boom"}


def test_an_error_in_the_handler_is_the_nodes_own() -> None:
    bad = graph(node("bad", "condition", {"all": [{"left": 1, "operator": "less", "right": "x"}]}))
    run = only(attempted(bad, on_error="continue")).start().finish(fails("Boom"))
    assert run.state.output == {
        "error": {"code": "LinkFlow.BadComparison", "message": run.state.output["error"]["message"]}
    }


def test_the_retries_of_a_try_are_of_its_body() -> None:
    run = only(attempted(graph(node("sorry", "set", {"values": {}})), retry={"max_attempts": 3})).start()
    answers = iter([fails("Boom"), fails("Boom"), gives("well")])

    def answer(task: RunTask) -> News:
        return next(answers)(task)

    assert run.finish(answer).state.output == "well"


def test_what_stands_around_a_container_is_seen_inside() -> None:
    before = node("before", "set", {"values": {"x": 7}})
    body = graph(node("leaf", "set", {"values": {"x": "{{ nodes.before.x + item }}"}}))
    each = node("each", "loop", {"items": [1, 2], "body": body})
    run = only(before, each, edges=["before -> each"])
    assert run.start().finish().state.output == [{"x": 8}, {"x": 9}]


def test_everything_wrong_inside_is_told_with_its_path() -> None:
    body = graph(
        node("a", "set", {"values": {"x": "{{ ( }}"}}),
        node("a", "nonsense"),
        node("t", "manual"),
        edges=["a -> nobody"],
    )
    checked = check_graph(
        graph(node("each", "loop", {"items": [], "body": body}), node("r", "repeat", {"until": True})), NODES
    )
    found = {(fault.path, fault.code) for fault in checked.errors}
    place = "$.nodes[0].config.body"
    assert {
        (f"{place}.nodes[0].id", "duplicate_id"),
        (f"{place}.nodes[1].id", "duplicate_id"),
        (f"{place}.nodes[0].config.values.x", "bad_expression"),
        (f"{place}.nodes[1].type", "unknown_type"),
        (f"{place}.nodes[2].type", "inner_trigger"),
        (f"{place}.edges[0].target", "dangling_edge"),
        ("$.nodes[1].config.body", "missing"),
    } <= found


def test_a_body_that_is_no_graph_is_refused() -> None:
    checked = check_graph(graph(node("each", "loop", {"items": [], "body": {"nodes": "x"}})), NODES)
    assert "$.nodes[0].config.body.nodes" in {fault.path for fault in checked.errors}


def test_a_name_inside_may_not_be_that_of_a_node_outside() -> None:
    inner = node("each", "loop", {"items": [], "body": graph(node("each", "no_op"))})
    assert {fault.code for fault in check_graph(graph(inner), NODES).errors} == {"duplicate_id"}


def test_a_repeat_in_a_repeat_counts_its_own_passes() -> None:
    more = graph(node("more", "set", {"values": {"n": "{{ input.n + 1 }}"}}))
    inner = node("inner", "repeat", {"until": "{{ vars.passes >= 2 }}", "body": more})
    outer = node("outer", "repeat", {"until": "{{ vars.passes >= 3 }}", "body": graph(inner)})
    assert only(outer).start({"n": 0}).finish().state.output == {"n": 6}


def test_the_first_pass_of_a_repeat_in_a_repeat_knows_that_none_of_its_own_is_done() -> None:
    more = graph(node("more", "set", {"values": {"seen": "{{ $append(input.seen, vars.passes) }}"}}))
    inner = node("inner", "repeat", {"until": "{{ vars.passes >= 2 }}", "body": more})
    outer = node("outer", "repeat", {"until": "{{ vars.passes >= 2 }}", "body": graph(inner)})
    assert only(outer).start({"seen": []}).finish().state.output == {"seen": [0, 1, 0, 1]}


def test_a_merge_that_nothing_leads_to_fails_and_says_so() -> None:
    failed = Run(program(graph(node("alone", "merge")))).start([1]).finish().state
    assert failed.failure is not None
    assert failed.failure.error == "LinkFlow.BadMerge"


def test_an_object_contains_names_and_nothing_else() -> None:
    odd = node("odd", "condition", {"all": [{"left": {"a": 1}, "operator": "contains", "right": ["a"]}]})
    assert Run(program(graph(odd))).start().finish().state.status == "succeeded"
