"""An execution as people see it: their boxes, in order, with what happened to each."""

from typing import Any

from linkflow.execution.timeline import Entry, timeline
from tests.unit.asl_runs import machine
from tests.unit.driver import Run, fails, succeed
from tests.unit.graphs import graph, node, program


def entries(run: Run) -> dict[str, Entry]:
    return {entry.node: entry for entry in timeline(run.book)[1]}


def test_the_graphs_own_state_is_no_box_of_theirs() -> None:
    run = Run(program(graph([node("start", "manual"), node("a")], "start -> a"))).start({"x": 1}).finish()
    assert [(entry.node, entry.path, entry.status) for entry in timeline(run.book)[1]] == [
        ("start", "", "succeeded"),
        ("a", "", "succeeded"),
    ]


def test_every_attempt_is_told_with_its_error() -> None:
    retry = {"max_attempts": 2, "interval": 1}
    run = Run(program(graph([node("start", "manual"), node("a", retry=retry)], "start -> a"))).start()
    run.tell(fails("Boom")(run.owed()[0]))
    assert entries(run)["a"].waits_until is not None
    run.later()
    run.tell(succeed(run.owed()[0]))
    told = entries(run)["a"]
    assert [(attempt.number, attempt.error) for attempt in told.attempts] == [(1, "Boom"), (2, None)]
    assert (told.status, told.waits_until) == ("succeeded", None)


def test_skipped_failed_and_given_up_boxes_are_told_apart() -> None:
    nodes = [node("start", "manual"), node("gate", "condition", {"expression": True}), *map(node, ("yes", "no", "bad"))]
    run = Run(program(graph(nodes, "start -> gate", "gate -true-> yes", "gate -false-> no", "start -> bad"))).start()
    (bad,) = [task for task in run.owed() if task.node == "bad"]
    run.tell(fails("Boom")(bad))
    told = {name: entry.status for name, entry in entries(run).items()}
    assert told == {"start": "succeeded", "gate": "succeeded", "no": "skipped", "bad": "failed", "yes": "aborted"}


def test_a_failure_says_which_node_failed_and_inside_of_what() -> None:
    call = node("call", "http_request", {"url": "{{ item }}"})
    each = node("each", "loop", {"items": [1, 2], "body": {"nodes": [call], "edges": []}})
    run = Run(program(graph([node("start", "manual"), each], "start -> each"))).start()
    run.finish(fails("Boom"))
    assert run.state.failure is not None
    assert (run.state.failure.error, run.state.failure.node, run.state.failure.path) == ("Boom", "call", "each/0")


def test_a_failure_that_a_container_makes_of_another_is_the_containers() -> None:
    states: dict[str, Any] = {
        "Many": {
            "Type": "Map",
            "ItemsPath": "$",
            "ToleratedFailureCount": 0,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
                "StartAt": "Bad",
                "States": {"Bad": {"Type": "Fail", "Error": "Boom"}},
            },
            "End": True,
        }
    }
    run = machine(**states).start([1])
    assert run.state.failure is not None
    assert (run.state.failure.error, run.state.failure.node) == ("States.ExceedToleratedFailureThreshold", "Many")


def test_a_node_that_fails_while_another_ones_failure_is_handled_is_the_one_to_be_told_of() -> None:
    states: dict[str, Any] = {
        "Both": {
            "Type": "Parallel",
            "Branches": [{"StartAt": "Try", "States": {"Try": {"Type": "Fail", "Error": "Boom"}}}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Again"}],
            "End": True,
        },
        "Again": {"Type": "Fail", "Error": "Boom"},
    }
    run = machine(**states).start([1])
    assert run.state.failure is not None
    assert (run.state.failure.node, run.state.failure.path) == ("Again", "")
