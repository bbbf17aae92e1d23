"""Signals: kept until somebody wants them, taken once, in order, and judged the same by whoever judges."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkflow.execution.advance import accepts, admit, advance
from linkflow.execution.events import SignalReceived, SignalTaken
from linkflow.execution.history import history
from linkflow.execution.mailbox import HEARD, UNREAD
from linkflow.execution.timeline import timeline
from linkflow.language.asl import compile_asl
from linkflow.language.asl_check import check_asl
from linkflow.language.graph.check import check_graph
from linkflow.language.json import Json
from linkflow.nodes.catalog import NODES
from tests.unit.driver import Run, fails, gives
from tests.unit.graphs import graph, node, program


def said(name: str, payload: Json = None, identifier: str | None = None) -> SignalReceived:
    return SignalReceived(name, payload, identifier or f"{name}-{payload}")


def waiting(*more: dict[str, Json], **config: Json) -> Run:
    nodes = [node("start", "manual"), node("wait", "wait_for_signal", {"name": "paid", **config}), *more]
    edges = [f"{before['id']} -> {behind['id']}" for before, behind in pairwise(nodes)]
    return Run(program(graph(nodes, *edges))).start({"order": 7})


def test_a_signal_ends_the_wait_with_its_payload() -> None:
    run = waiting()
    assert (run.owed(), run.state.closed) == ([], False)
    run.tell(said("paid", {"sum": 5}))
    assert (run.state.status, run.state.output) == ("succeeded", {"sum": 5})


def test_one_that_comes_before_the_wait_is_kept_and_one_of_another_name_is_left() -> None:
    pause = [node("first", "no_op"), node("wait", "wait_for_signal", {"name": "paid"})]
    run = Run(program(graph(pause, "first -> wait"))).start()
    run.tell(said("sent", 1), said("paid", 2))
    assert not run.state.closed
    run.tell(gives(None)(run.owed()[0]))
    assert run.state.output == 2
    assert [signal.name for signal in run.state.mailbox] == ["sent"]


def test_a_filter_sees_the_signal_and_what_the_execution_had_made_when_the_wait_began() -> None:
    made = node("made", "set", {"values": {"n": 3}})
    wait = node("wait", "wait_for_signal", {"name": "paid", "filter": "{{ signal.payload.n = nodes.made.n }}"})
    run = Run(program(graph([made, wait], "made -> wait"))).start()
    run.tell(said("paid", {"n": 2}), said("paid", "no object"), said("paid", {"n": 3}))
    assert run.state.output == {"n": 3}


def test_what_a_filter_cannot_be_applied_to_does_not_match_and_harms_nobody() -> None:
    run = waiting(filter="{{ signal.payload > 5 and $number(signal.payload) > 5 }}")
    run.tell(said("paid", "six"), said("paid", {"a": []}))
    assert run.state.status == "running"
    assert run.tell(said("paid", 6)).state.output == 6


def test_the_filter_is_kept_with_what_it_mentions_and_no_more() -> None:
    large = node("large", "set", {"values": {"text": "x" * 10_000}})
    small = node("small", "set", {"values": {"n": 1}})
    wait = node("wait", "wait_for_signal", {"name": "paid", "filter": "{{ signal.payload = nodes.small.n }}"})
    run = Run(program(graph([large, small, wait], "large -> small", "small -> wait"))).start()
    (scope,) = [scope for scope in run.state.scopes.values() if scope.wanted]
    assert scope.wanted is not None
    assert scope.wanted.seen == {"nodes": {"small": {"n": 1}}}


def test_the_same_signal_again_is_dropped_before_and_after_it_was_taken() -> None:
    again = node("again", "wait_for_signal", {"name": "paid"})
    run = waiting(again)
    run.tell(said("paid", 1, "a"), said("paid", 1, "a"))
    run.tell(said("paid", 9, "a"))
    assert run.state.status == "running"
    assert run.tell(said("paid", 2, "b")).state.output == 2


def test_without_one_in_time_it_is_a_timeout_that_the_node_may_handle() -> None:
    wait = node("wait", "wait_for_signal", {"name": "paid"}, timeout=10, on_error="branch")
    late = node("late", "set", {"values": {"code": "{{ error.code }}"}})
    run = Run(program(graph([wait, late], "wait -error-> late"))).start()
    assert run.later().now == 1_010
    assert run.state.output == {"code": "States.Timeout"}


def test_what_came_in_time_counts_though_nobody_looked_in_time() -> None:
    run = Run(program(graph([node("wait", "wait_for_signal", {"name": "paid"}, timeout=10)]))).start()
    written = admit(run.program, run.state, said("paid", 1), run.now + 5)
    assert written is not None
    run.book.append((run.now + 5, [written]))
    run.later(run.now + 50)
    assert run.state.output == 1


def test_a_wait_that_timed_out_is_tried_again_if_the_node_says_so() -> None:
    retry = {"max_attempts": 2, "interval": 5, "jitter": False}
    wait = node("wait", "wait_for_signal", {"name": "paid"}, timeout=10, retry=retry)
    run = Run(program(graph([wait]))).start()
    run.later().later()
    assert run.tell(said("paid", 1)).state.output == 1


def test_a_mailbox_is_bounded_and_so_is_its_memory() -> None:
    run = Run(program(graph([node("wait", "wait_for_signal", {"name": "x"}, timeout=5)]))).start()
    run.tell(*(said("other", number) for number in range(UNREAD + 5)))
    assert len(run.state.mailbox) == UNREAD
    assert not accepts(run.state, said("other", "one more"))
    state = run.state
    state.heard = {str(number): None for number in range(HEARD)}
    state.mailbox = []
    advance(run.program, state, [said("other", "new")], run.now)
    assert (len(state.heard), next(iter(state.heard))) == (HEARD, "1")


def loop_of(width: int, **config: Json) -> Run:
    wait = node("wait", "wait_for_signal", {"name": "go", **config})
    body = {"nodes": [wait], "edges": []}
    each = node("each", "loop", {"items": list(range(width)), "concurrency": 0, "body": body})
    return Run(program(graph([each]))).start()


def test_several_who_wait_get_one_each_who_waits_longest_first() -> None:
    run = loop_of(3)
    run.tell(said("go", "a"))
    run.tell(said("go", "b"), said("go", "c"))
    assert run.state.output == ["a", "b", "c"]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_each_finds_its_own_whatever_the_order(order: Sequence[int]) -> None:
    run = loop_of(3, filter="{{ signal.payload.item = item }}")
    for number in order:
        run.tell(said("go", {"item": number}), said("go", {"item": number}))
    assert run.state.output == [{"item": 0}, {"item": 1}, {"item": 2}]


@dataclass(frozen=True)
class Story:
    width: int
    turns: Sequence[Sequence[int]]


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Signals for all who wait, in any order, each once or more often, in any number of turns."""
    width = draw(st.integers(1, 6))
    told = draw(st.permutations([*range(width), *draw(st.lists(st.integers(0, width - 1), max_size=6))]))
    turns: list[list[int]] = [[]]
    for number in told:
        if draw(st.booleans()):
            turns.append([])
        turns[-1].append(number)
    return Story(width, turns)


@given(stories(), st.integers(0, 2**32))
@settings(deadline=None, max_examples=80)
def test_any_order_any_repetition_and_any_crash_give_the_same(story: Story, seed: int) -> None:
    chance = Random(seed)
    matched, open_ = loop_of(story.width, filter="{{ signal.payload = index }}"), loop_of(story.width)
    for run in (matched, open_):
        for turn in story.turns:
            if chance.random() < 0.4:
                run.state = run.replayed()
            news = [said("go", number) for number in turn]
            if chance.random() < 0.3:
                lost = advance(run.program, run.state, news, run.now)
                run.state = run.replayed()
                assert advance(run.program, run.replayed(), news, run.now) == lost
            run.tell(*news)
        assert run.state.status == "succeeded"
    assert matched.state.output == list(range(story.width))
    first_said = list(dict.fromkeys(number for turn in story.turns for number in turn))
    assert open_.state.output == first_said
    taken = [event.id for _, turn in open_.book for event in turn if isinstance(event, SignalTaken)]
    assert len(taken) == len(set(taken)) == story.width


def test_a_wait_that_is_given_up_takes_no_signal_with_it() -> None:
    body = {"nodes": [node("wait", "wait_for_signal", {"name": "go"}), node("bad", "no_op")], "edges": []}
    again = {"nodes": [node("later", "wait_for_signal", {"name": "go"})], "edges": []}
    run = Run(program(graph([node("guard", "try", {"body": body, "handler": again})]))).start()
    run.tell(fails("Boom")(run.owed()[0]))
    assert run.visited()[-1] == "later"
    assert len(run.state.receivers) == 1
    assert run.tell(said("go", 1)).state.output == 1


ASL: dict[str, Json] = {
    "QueryLanguage": "JSONata",
    "StartAt": "Wait",
    "States": {
        "Wait": {
            "Type": "Task",
            "Resource": "linkflow:wait_for_signal",
            "Arguments": {
                "name": "paid",
                "filter": "signal.payload.order = order",
                "with": {"order": "{% $states.input.order %}"},
            },
            "TimeoutSeconds": 60,
            "Output": "{% $states.result.sum %}",
            "End": True,
        }
    },
}
PATHS: dict[str, Json] = {
    "StartAt": "Wait",
    "States": {
        "Wait": {
            "Type": "Task",
            "Resource": "linkflow:wait_for_signal.waitForTaskToken",
            "Parameters": {"name": "paid", "filter": "signal.payload.order = order", "with": {"order.$": "$.order"}},
            "ResultSelector": {"sum.$": "$.sum"},
            "OutputPath": "$.sum",
            "End": True,
        }
    },
}


@pytest.mark.parametrize("document", [ASL, PATHS], ids=["JSONata", "JSONPath"])
def test_a_state_machine_waits_in_the_same_way(document: dict[str, Json]) -> None:
    assert check_asl(document) == []
    run = Run(compile_asl(document)).start({"order": 7})
    run.tell(said("paid", {"order": 6, "sum": 1}), said("paid", {"order": 7, "sum": 2}))
    assert run.state.output == 2


def test_its_history_is_that_of_a_task_and_counts_as_the_state_does() -> None:
    run = Run(compile_asl({**ASL, "States": {**ASL["States"]}})).start({"order": 7})
    run.tell(said("paid", {"order": 7, "sum": 2}))
    rows = history(run.program, run.book)
    kinds = "ExecutionStarted TaskStateEntered TaskScheduled TaskStarted TaskSucceeded TaskStateExited"
    assert [row.type for row in rows] == [*kinds.split(), "ExecutionSucceeded"]
    assert run.state.histories[0] == len(rows)
    late = Run(compile_asl(ASL)).start({"order": 7}).later()
    rows = history(late.program, late.book)
    assert [row.type for row in rows][-2:] == ["TaskTimedOut", "ExecutionFailed"]
    assert late.state.histories[0] == len(rows)


def test_people_see_until_when_it_waits_and_what_came() -> None:
    run = Run(compile_asl(ASL)).start({"order": 7})
    assert timeline(run.book)[1][0].waits_until == run.now + 60
    run.tell(said("paid", {"order": 7, "sum": 2}))
    assert (timeline(run.book)[1][0].waits_until, timeline(run.book)[1][0].output) == (None, 2)


WRONG: dict[str, tuple[Json, str]] = {
    "no name": ({}, "$.nodes[0].config.name"),
    "filter that is text": ({"name": "a", "filter": "signal.payload"}, "$.nodes[0].config.filter"),
    "filter within a text": ({"name": "a", "filter": "x {{ signal }}"}, "$.nodes[0].config.filter"),
    "filter that does not parse": ({"name": "a", "filter": "{{ signal. }}"}, "$.nodes[0].config.filter"),
    "filter that is not closed": ({"name": "a", "filter": "{{ signal"}, "$.nodes[0].config.filter"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_with_the_node_is_found_before_it_is_saved(case: str) -> None:
    config, path = WRONG[case]
    errors = check_graph(graph([node("wait", "wait_for_signal", config)]), NODES).errors
    assert [fault.path for fault in errors] == [path]


WRONG_ASL: dict[str, Json] = {
    "no arguments": None,
    "no name": {"filter": "true"},
    "computed filter": {"name": "a", "filter": "{% 1 = 1 %}"},
    "filter that does not parse": {"name": "a", "filter": "signal."},
}


@pytest.mark.parametrize("case", WRONG_ASL)
def test_what_is_wrong_with_the_state_is_found_before_it_is_saved(case: str) -> None:
    given_ = WRONG_ASL[case]
    state = {name: value for name, value in ASL["States"]["Wait"].items() if name != "Arguments"}
    state |= {} if given_ is None else {"Arguments": given_}
    assert len(check_asl({**ASL, "States": {"Wait": state}})) == 1
