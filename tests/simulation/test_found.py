"""Bugs that were found by seeds, each as the smallest story that shows it."""

from dataclasses import replace
from itertools import pairwise
from typing import Literal

import pytest

from linkflow.language.json import Json
from tests.simulation.cast import WORKSPACES, Cast, Entrance, Part, Promise
from tests.simulation.machines import CHILD
from tests.simulation.plan import Plan, Visitor
from tests.simulation.scenes import QUEUE
from tests.simulation.seeds import told_alone
from tests.simulation.weather import Fault
from tests.unit.graphs import graph, node
from tests.unit.random_graphs import SIGNAL


def cast(definition: Json, promise: Promise = "result") -> Cast:
    """One state machine, and the workflow that it may start."""
    nodes = [node("begin", "manual"), node("pause", "delay", {"seconds": 850}), node("c", "set", {"values": {"c": 1}})]
    slow = graph(nodes, "begin -> pause", "pause -> c")
    children = [Part(workspace, CHILD, "graph", slow, "result") for workspace in WORKSPACES]
    dialect: Literal["graph", "asl"] = "graph" if "nodes" in definition else "asl"
    whole = Part(WORKSPACES[0], "whole", dialect, definition, promise)
    return Cast(0, 0, (*children, whole), (Entrance(0, 2, {"n": 1}),))


def task(resource: str, arguments: Json, **more: Json) -> Json:
    only = {"Type": "Task", "Resource": resource, "Arguments": arguments, "End": True, **more}
    return {"QueryLanguage": "JSONata", "StartAt": "Only", "States": {"Only": only}}


ASKS_FOR_A_TOKEN = task(
    "linkflow:http_request.waitForTaskToken",
    {
        "url": "http://outside/later/1",
        "method": "POST",
        "body": "{% {'token': $states.context.Task.Token, 'asked': 1} %}",
    },
    TimeoutSeconds=90_000_000,
)
STARTS_A_CHILD_OR_NOT = {
    "QueryLanguage": "JSONata",
    "StartAt": "Only",
    "States": {
        "Only": {
            "Type": "Task",
            "Resource": "arn:aws:states:::states:startExecution.sync:2",
            "Arguments": {"StateMachineArn": CHILD},
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Rest"}],
            "Next": "Rest",
        },
        "Rest": {"Type": "Pass", "Output": 1, "End": True},
    },
}
STARTS_A_CHILD = task("arn:aws:states:::states:startExecution.sync:2", {"StateMachineArn": CHILD}, Output=1)
ASKS = task("linkflow:http_request", {"url": "http://outside/fine/1"}, TimeoutSeconds=3_600)
ASKS_BEFORE_A_TOKEN = {
    **ASKS_FOR_A_TOKEN,
    "StartAt": "First",
    "States": {
        "First": {k: v for k, v in ASKS["States"]["Only"].items() if k != "End"}
        | {"Next": "Only", "TimeoutSeconds": 90_000_000},
        **ASKS_FOR_A_TOKEN["States"],
    },
}
START = Visitor(0.0, 0)


def laws(cast: Cast, *faults: Fault, visitors: tuple[Visitor, ...] = (START,), apart: bool = False) -> tuple[str, ...]:
    return told_alone(Plan(0, (0.001,), visitors, faults, apart=apart), cast)


def test_a_token_brought_back_at_once_finds_its_task_in_the_book() -> None:
    """The first turn was written after its tasks had run, so a quick answer was one to nobody."""
    for at in range(10, 30):
        assert not laws(cast(ASKS_FOR_A_TOKEN), Fault(at, "slow", 5.0))


def test_who_brings_a_token_again_wakes_the_execution_that_has_it_but_was_never_told() -> None:
    """The process wrote the outcome down and died before it woke the execution; the token's owner came again, and was
    only told that it was too late."""
    for at in range(10, 40):
        assert not laws(cast(ASKS_FOR_A_TOKEN), Fault(at, "dies unsent"), apart=True)


def test_a_bad_moment_of_the_stores_fails_no_task() -> None:
    """What an integration could not read or write became the failure of its task."""
    for at in range(6, 20):
        assert not laws(cast(STARTS_A_CHILD), Fault(at, "throttled"))


def test_a_child_is_in_its_parents_book_before_it_begins() -> None:
    """An execution cancelled in its first turn had begun a child that nobody knew of, and nobody ended."""
    for tenths in range(12):
        cancelled = Visitor(tenths / 1_000, 0, "cancel")
        assert not laws(cast(STARTS_A_CHILD), visitors=(START, cancelled))


def test_a_task_that_is_given_up_takes_the_child_it_may_have_begun_with_it() -> None:
    """Three visits died on the task that begins the child; it was given up, and the child went on without a parent."""
    for at in range(10, 24):
        again = [Fault(at + number, "delivered twice") for number in range(4)]
        assert not laws(cast(STARTS_A_CHILD_OR_NOT, "end"), *again)


def test_a_look_that_fails_does_not_give_a_long_task_up() -> None:
    """The worker looked whether its task was still wanted, could not see, and let go of both task and message."""
    for at in range(15, 60):
        plan = Plan(at, (0.001,), (START,), (Fault(at, "unreachable"),), visit=45.0, slow=1.0)
        assert not told_alone(plan, cast(ASKS))


def test_a_worker_that_comes_too_late_wakes_the_execution() -> None:
    """The worker wrote the outcome down and died before the wake; its successor saw that nobody waited, and went."""
    for at in range(10, 40):
        plan = Plan(0, (0.001,), (START,), (Fault(at, "dies unsent"),), visit=45.0, apart=True)
        assert not told_alone(plan, cast(ASKS_BEFORE_A_TOKEN))


def test_two_visits_at_once_run_a_task_once_that_must_not_run_twice() -> None:
    """Each wrote into the book what the other then read; what one had begun, the other took for its own."""
    asks = node("ask", "ask_once", {"url": "http://outside/ask_once/1"}, timeout=3_600)
    once = graph([node("start", "manual"), asks], "start -> ask")
    for at in range(10, 60):
        again = (Fault(at, "delivered twice"), Fault(at + 2, "slow", 1.0))
        assert not told_alone(Plan(at, (0.001, 0.02, 0.1), (START,), again, slow=0.5), cast(once, "end"))


def test_a_signal_that_comes_before_the_first_turn_changes_no_key() -> None:
    """What followed from the opening was not written down yet, and followed otherwise once the signal was: what had
    been asked outside was asked again, under another key."""
    nodes = [
        node("start", "manual"),
        node("hear", "wait_for_signal", {"name": SIGNAL}),
        node("echo", "set", {"values": {"v": 1}}),
        node("pause", "delay", {"seconds": 0}),
        node("ask", "http_request", {"url": "http://outside/fine/1"}, timeout=3_600),
    ]
    both = graph(nodes, "start -> hear", "start -> pause", "hear -> echo", "pause -> ask")
    parts = cast(both).parts
    signalled = replace(cast(both), parts=(*parts[:-1], replace(parts[-1], signals=True)))
    for latency in (0.001, 0.005, 0.02):
        assert not told_alone(Plan(0, (latency,), (START,), slow=1.0), signalled)


def test_what_comes_from_outside_changes_no_key_of_what_is_not_written_down_yet() -> None:
    """Turns waited, as the workflow allows; then a signal came, scopes and events got other numbers, and what had been
    asked outside was asked again, under another key."""
    hears = [f"hear{number}" for number in range(4)]
    asks = [f"ask{number}" for number in range(8)]
    nodes = [
        node("start", "manual"),
        *(node(name, "wait_for_signal", {"name": SIGNAL}) for name in hears),
        *(node(name, "http_request", {"url": f"http://outside/fine/{name}"}, timeout=3_600) for name in asks),
    ]
    edges = [f"{one} -> {other}" for row in (hears, asks) for one, other in pairwise(["start", *row])]
    both = {**graph(nodes, *edges), "settings": {"durability": "end"}}
    parts = cast(both).parts
    signalled = replace(cast(both), parts=(*parts[:-1], replace(parts[-1], signals=True)))
    for seed in range(4):
        assert not told_alone(Plan(seed, (0.001,), (START,), slow=0.5), signalled)


@pytest.mark.parametrize("visit", [None, 45.0])
def test_what_is_owed_by_an_execution_that_takes_up_another_book_is_sent(visit: float | None) -> None:
    """Its first visit took it that tasks in a queue, or offered to remote workers, had been seen to by one before."""
    works = node("work", "remote_task", {"queue": QUEUE, "payload": "{{ trigger.n }}"}, timeout=3_600)
    remote = graph([node("start", "manual"), works], "start -> work")
    for share in (0.0, 0.4, 0.7):
        again = Visitor(70.0, 0, "reset", share)
        assert not told_alone(Plan(0, (0.001,), (START, again), visit=visit), cast(ASKS))
        by_hand = cast(remote)
        assert not told_alone(
            Plan(0, (0.001,), (START, again), visit=visit),
            replace(by_hand, parts=(*by_hand.parts[:-1], replace(by_hand.parts[-1], labour=True))),
        )


def test_the_request_of_an_execution_that_takes_up_another_book_bears_its_own_token() -> None:
    """It bore the token of the one before, so that what came back was for an execution that was over."""
    for late in (0.05, 3.0):
        again = Visitor(late, 0, "reset", 0.8)
        for visit in (None, 45.0):
            plan = Plan(0, (0.001,), (START, again), patience=(10.0,), visit=visit)
            assert not told_alone(plan, cast(ASKS_FOR_A_TOKEN))


def test_what_was_not_sent_before_a_pause_is_sent_behind_it() -> None:
    """The visit that put the turn died before it sent the task; the next one found a pause, and left it to one that
    took the task for sent."""
    for at in range(20, 70):
        paused = Visitor(0.05, 0, "pause")
        plan = Plan(0, (0.001,), (START, paused), (Fault(at, "unreachable"),), visit=45.0, apart=True)
        assert not told_alone(plan, cast(ASKS))


def test_that_an_execution_started_is_told_also_when_its_first_visit_dies() -> None:
    """The visit behind it repeated what the first had run, and then took it that somebody had told of the start."""
    listened = replace(cast(ASKS), hears=WORKSPACES[0])
    for at in range(10, 40):
        assert not laws(listened, Fault(at, "dies before"))


def test_that_an_execution_is_over_is_told_also_when_its_starter_dies() -> None:
    """Who waited for the result had closed the summary, so that nobody came to tell who else wanted to hear."""
    brief = graph([node("start", "manual"), node("end", "set", {"values": {"v": 1}})], "start -> end")
    listened = replace(cast(brief), hears=WORKSPACES[0])
    waited = replace(listened, parts=(*listened.parts[:-1], replace(listened.parts[-1], patience=20.0)))
    for at in range(30, 100):
        assert not told_alone(Plan(0, (0.001,), (START,), (Fault(at, "dies after"),), visit=45.0), waited)
