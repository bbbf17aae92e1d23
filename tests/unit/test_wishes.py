"""What people wish of an execution: that it ends (gracefully or at once), pauses, goes on; at any point of any graph,
in any order and repetition."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from linkflow.execution import events as e
from linkflow.execution.advance import advance, next_moment
from linkflow.execution.failures import CANCELLED
from linkflow.execution.history import history
from linkflow.execution.timeline import timeline
from linkflow.language.asl import compile_asl
from linkflow.language.json import Json
from tests.unit import random_graphs as drawn
from tests.unit.driver import Answer, Run, fails, gives, succeed
from tests.unit.graphs import graph, node, program
from tests.unit.test_graph_properties import Recorded, is_a_tree, is_over, tasks_are_recorded_once

CANCEL = e.CancelRequested("us_1", "enough", "first")
AGAIN = e.CancelRequested("us_1", "at once", "second")
TERMINATE = e.ExecutionTerminated("us_1", "now")
PAUSE, RESUME = e.PauseRequested("us_1"), e.ResumeRequested("us_1")
CLOSING = (e.ExecutionSucceeded, e.ExecutionFailed, e.ExecutionTimedOut, e.ExecutionCancelled, e.ExecutionTerminated)


def body(*nodes: Json) -> Json:
    return {"nodes": list(nodes), "edges": []}


def tried(name: str, inner: Json, handler: Json) -> Json:
    return node(name, "try", {"body": body(inner), "handler": body(handler)})


def drawn_line(*nodes: Json, **more: Json) -> Run:
    """The nodes one after another, started."""
    names = ["start", *(one["id"] for one in nodes)]
    edges = [f"{source} -> {target}" for source, target in pairwise(names)]
    return Run(program(graph([node("start", "manual"), *nodes], *edges, **more))).start(1)


def kinds(run: Run) -> list[str]:
    return [type(event).__name__ for _, turn in run.book for event in turn]


# ---------------------------------------------------------------- ending at once


def test_a_terminated_execution_is_over_and_no_handler_runs() -> None:
    run = drawn_line(tried("work", node("inner"), node("undo")), node("after"))
    run.tell(TERMINATE)
    assert (run.state.status, run.owed()) == ("terminated", [])
    assert "undo" not in run.visited()


def test_without_a_handler_cancelling_costs_one_turn_and_two_events() -> None:
    run = drawn_line(node("work"), node("after")).tell(CANCEL)
    assert run.state.status == "cancelled"
    assert [type(event) for event in run.book[-1][1]] == [e.CancelRequested, e.ExecutionCancelled]


# ---------------------------------------------------------------- cancelling gracefully


def test_a_try_cleans_up_and_nothing_behind_it_begins() -> None:
    run = drawn_line(tried("work", node("inner"), node("undo")), node("after")).tell(CANCEL)
    (undo,) = run.owed()
    assert undo.node == "undo"
    run.tell(succeed(undo))
    assert run.state.status == "cancelled"
    assert "after" not in run.visited()


def test_a_handler_is_told_what_it_cleans_up_after() -> None:
    said = node("undo", "set", {"values": {"why": "{{ error.code & ': ' & error.message }}"}})
    run = drawn_line(tried("work", node("inner"), said)).tell(CANCEL)
    _, entries = timeline(run.book)
    (told,) = [entry.output for entry in entries if entry.node == "undo"]
    assert told == {"why": f"{CANCELLED}: enough"}


def test_a_handler_that_fails_changes_nothing() -> None:
    run = drawn_line(tried("work", node("inner"), node("undo"))).tell(CANCEL)
    assert run.finish(fails("Broken")).state.status == "cancelled"


def test_inner_handlers_clean_up_before_outer_ones() -> None:
    inner = tried("inner", node("deep"), node("undo_deep"))
    run = drawn_line(tried("outer", inner, node("undo_outer"))).tell(CANCEL)
    cleaned = []
    while not run.state.closed:
        (task,) = run.owed()
        cleaned.append(task.node)
        run.tell(succeed(task))
    assert cleaned == ["undo_deep", "undo_outer"]


def test_branches_beside_one_another_all_clean_up() -> None:
    branches = [tried(f"t{index}", node(f"n{index}"), node(f"undo{index}")) for index in range(3)]
    edges = [f"start -> t{index}" for index in range(3)]
    run = Run(program(graph([node("start", "manual"), *branches, node("lone")], *edges, "start -> lone"))).start()
    run.tell(CANCEL)
    assert sorted(task.node for task in run.owed()) == ["undo0", "undo1", "undo2"]
    assert run.finish().state.status == "cancelled"


def test_neither_retry_nor_on_error_keeps_a_cancelled_node_going() -> None:
    stubborn = node("inner", retry={"max_attempts": 5}, on_error="continue")
    run = drawn_line(tried("work", stubborn, node("undo")), node("after", on_error="continue")).tell(CANCEL)
    assert [task.node for task in run.owed()] == ["undo"]
    assert run.finish().visited().count("inner") == 1


def test_clean_up_has_its_time_and_no_more() -> None:
    run = drawn_line(tried("work", node("inner"), node("undo")), clean_up=5).tell(CANCEL)
    assert next_moment(run.state) == run.now + 5
    assert run.later().state.status == "cancelled"


def test_the_same_wish_heard_twice_is_one_and_a_second_one_ends_it_at_once() -> None:
    run = drawn_line(tried("work", node("inner"), node("undo"))).tell(CANCEL, CANCEL).tell(CANCEL)
    assert run.state.status == "running"
    assert run.tell(AGAIN).state.status == "cancelled"


def test_the_deadline_of_an_execution_that_cleans_up_cancels_it() -> None:
    drawn_graph = graph(
        [node("start", "manual"), tried("work", node("inner"), node("undo"))], "start -> work", clean_up=500
    )
    run = Run(program(drawn_graph)).start(deadline=1_030)
    assert run.tell(CANCEL).later().state.status == "cancelled"
    assert run.now == 1_030


MACHINE: Json = {
    "StartAt": "Work",
    "States": {
        "Work": {
            "Type": "Task",
            "Resource": "linkflow:no_op",
            "Retry": [{"ErrorEquals": ["States.ALL"]}],
            "Catch": [
                {"ErrorEquals": ["LinkFlow.Cancelled"], "Next": "Undo"},
                {"ErrorEquals": ["States.ALL"], "Next": "Wrong"},
            ],
            "Next": "After",
        },
        "Undo": {"Type": "Task", "Resource": "linkflow:no_op", "Next": "UndoMore"},
        "UndoMore": {"Type": "Task", "Resource": "linkflow:no_op", "End": True},
        "Wrong": {"Type": "Fail"},
        "After": {"Type": "Succeed"},
    },
}


def test_a_state_machine_cleans_up_where_a_catch_names_the_error() -> None:
    run = Run(compile_asl(MACHINE)).start().tell(CANCEL).finish()
    assert (run.state.status, run.visited()) == ("cancelled", ["Work", "Undo", "UndoMore"])


def test_no_wildcard_catches_that_an_execution_is_cancelled() -> None:
    work = {**MACHINE["States"]["Work"], "Catch": MACHINE["States"]["Work"]["Catch"][1:]}
    run = Run(compile_asl({**MACHINE, "States": {**MACHINE["States"], "Work": work}})).start().tell(CANCEL)
    assert (run.state.status, run.visited()) == ("cancelled", ["Work"])


def test_a_map_begins_no_further_iteration_while_it_winds_down() -> None:
    processor = {**MACHINE, "ProcessorConfig": {"Mode": "INLINE"}}
    machine = {
        "StartAt": "Each",
        "States": {"Each": {"Type": "Map", "MaxConcurrency": 2, "ItemProcessor": processor, "End": True}},
    }
    run = Run(compile_asl(machine)).start([1, 2, 3, 4]).tell(CANCEL).finish()
    assert (run.state.status, run.visited().count("Work"), run.visited().count("Undo")) == ("cancelled", 2, 2)


# ---------------------------------------------------------------- pausing


def test_while_paused_outcomes_are_kept_and_nothing_begins() -> None:
    run = drawn_line(node("a"), node("b"))
    (task,) = run.owed()
    run.tell(PAUSE).tell(succeed(task))
    assert "b" not in run.visited()
    assert run.tell(RESUME).visited()[-1] == "b"


def test_a_wait_that_is_over_meanwhile_ends_when_it_goes_on() -> None:
    run = drawn_line(node("w", "delay", {"seconds": 10}), node("b")).tell(PAUSE)
    assert next_moment(run.state) is None
    run.now += 100
    assert "b" not in run.tell().visited()
    assert "b" in run.tell(RESUME).visited()


def test_the_time_of_tasks_stands_still() -> None:
    run = drawn_line(node("a", timeout=10))
    run.tell(PAUSE)
    run.now += 100
    run.tell(RESUME)
    assert run.owed()[0].deadline == run.now + 10


def test_cancelling_reaches_a_paused_execution() -> None:
    run = drawn_line(tried("work", node("inner"), node("undo"))).tell(PAUSE).tell(CANCEL)
    assert [task.node for task in run.owed()] == ["undo"]
    assert run.tell(PAUSE).finish().state.status == "cancelled"


# ---------------------------------------------------------------- beginning later


def test_a_delayed_execution_does_nothing_until_its_moment() -> None:
    run = Run(program(graph([node("start", "manual"), node("a")], "start -> a"))).start(1, begins=1e6)
    assert (run.visited(), next_moment(run.state)) == ([], 1e6)
    assert run.later().visited() == ["start", "a"]


# ---------------------------------------------------------------- going on as another


def test_going_on_as_new_ends_everything_and_says_with_what() -> None:
    again = node("again", "continue_as_new", {"input": "{{ trigger + 1 }}"})
    run = Run(program(graph([node("start", "manual"), again, node("other")], "start -> again", "start -> other")))
    run.start(1)
    assert (run.state.status, run.state.output, run.owed()) == ("continued", 2, [])
    assert run.state.successor is not None


# ---------------------------------------------------------------- whatever happens


@dataclass
class Wished(Recorded):
    """A run whose people change their minds."""

    chance: Random = field(default_factory=Random)

    def finish(self, answer: Answer) -> "Wished":  # type: ignore[override]  # (there is no answer that suits all)
        wishes: list[e.News] = [PAUSE, PAUSE, RESUME, CANCEL, AGAIN, TERMINATE]
        while not self.state.closed:
            if self.chance.random() < 0.2:
                self.rebuild()
            if self.chance.random() < 0.3:
                self.tell(*self.chance.choices(wishes, weights=[4, 4, 4, 2, 1, 0.3], k=self.chance.randint(1, 2)))
            elif self.state.paused is not None and self.chance.random() < 0.5:
                self.tell(RESUME)
            else:
                self._step(answer)
        return self

    def _step(self, answer: Answer) -> None:
        tasks, moment = self.owed(), next_moment(self.state)
        if tasks and self.chance.random() < 0.9:
            self.tell(*(answer(task) for task in self.chance.sample(tasks, self.chance.randint(1, len(tasks)))))
        elif self.state.receivers and self.chance.random() < 0.8:
            self.tell(self.signal())
        elif moment is not None and moment not in {task.deadline for task in tasks}:
            self.later()
        elif not tasks:
            self.tell(RESUME)

    def _wrote(self, events: Sequence[e.Event]) -> "Wished":
        super()._wrote(events)
        is_a_tree(self.state)
        return self


@given(drawn.whole("racing"), drawn.RULES, st.integers(0, 2**32))
@settings(deadline=None, derandomize=True, max_examples=400)
def test_whatever_people_wish_an_execution_closes_once_and_owes_nothing(
    definition: Json, rule: Answer, seed: int
) -> None:
    compiled = program(definition)
    run = Wished(compiled, chance=Random(seed))
    run.start({"n": 1}).finish(rule)
    is_over(run)
    assert sum(isinstance(event, CLOSING) for event in run.events()) == 1
    assert isinstance(run.events()[-1], CLOSING)
    if not any(isinstance(event, e.ScopeCancelled) for event in run.events()):
        tasks_are_recorded_once(run)
    if run.state.cancel is not None:
        assert run.state.status in ("cancelled", "terminated")
    timeline(run.book)
    assert history(compiled, run.book)[-1].id == run.state.histories[0]


@given(drawn.whole("steady"), drawn.RULES, st.integers(0, 2**32))
@settings(deadline=None, derandomize=True, max_examples=150)
def test_pausing_changes_nothing_but_the_time(definition: Json, rule: Answer, seed: int) -> None:
    chance, compiled = Random(seed), program(definition)
    calm, held = Recorded(compiled), Recorded(compiled)
    calm.start({"n": 1}).finish(rule)
    held.start({"n": 1})
    while not held.state.closed:
        if chance.random() < 0.3:
            held.tell(PAUSE)
            held.rebuild()
            held.tell(*(rule(task) for task in held.owed() if chance.random() < 0.5))
            held.tell(RESUME)
        elif tasks := held.owed():
            held.tell(rule(tasks[0]))
        elif held.state.receivers:
            held.tell(held.signal())
        else:
            held.later()
    assert (held.state.status, held.state.output) == (calm.state.status, calm.state.output)


def test_news_for_a_cancelled_task_comes_too_late() -> None:
    run = drawn_line(tried("work", node("inner"), node("undo")))
    (inner,) = run.owed()
    run.tell(CANCEL)
    assert advance(run.program, run.state, [gives(1)(inner)], run.now) == []


def test_a_task_that_runs_before_it_is_in_the_book_is_cleaned_up_after() -> None:
    """The first turn is put late; a cancel that comes before it finds the opening alone."""
    run = Run(program(graph([node("start", "manual"), tried("work", node("inner"), node("undo"))], "start -> work")))
    run.start()
    run.book = [(at, events[:1]) for at, events in run.book]
    run.state = run.replayed()
    run.tell(CANCEL)
    assert [task.node for task in run.owed()] == ["undo"]


def dealt(catch: list[Json]) -> Run:
    """A distributed Map that was dealt to child executions, two of which were begun."""
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "One",
        "States": {"One": {"Type": "Task", "Resource": "linkflow:no_op", "End": True}},
    }
    each = {"Type": "Map", "ItemProcessor": processor, "MaxConcurrency": 200, "Catch": catch, "End": True}
    undo = {"Type": "Task", "Resource": "linkflow:no_op", "End": True}
    run = Run(compile_asl({"StartAt": "Each", "States": {"Each": each, "Undo": undo}})).start(list(range(1_500)))
    for task in run.owed()[:2]:
        run.tell(e.TaskSubmitted(task.scope, task.task, {}))
    return run


def test_a_dealt_map_lets_its_children_go_and_its_catch_cleans_up() -> None:
    run = dealt([{"ErrorEquals": [CANCELLED], "Next": "Undo"}])
    submitted = [scope.task.task for scope in run.state.scopes.values() if scope.task and scope.task.submitted]
    run.tell(CANCEL)
    assert set(submitted) <= set(run.state.orphans)
    assert [task.node for task in run.owed()] == ["Undo"]
    assert run.finish().state.status == "cancelled"
    assert history(run.program, run.book)[-1].id == run.state.histories[0]


def test_a_dealt_map_without_a_catch_for_it_ends_at_once() -> None:
    run = dealt([{"ErrorEquals": ["States.ALL"], "Next": "Undo"}]).tell(CANCEL)
    assert run.state.status == "cancelled"
    assert run.state.orphans
