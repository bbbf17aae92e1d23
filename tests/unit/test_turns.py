"""Turns stay small, and executions within bounds, whatever a definition asks for at once."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from linkflow.execution.advance import MOST_EVENTS, advance, begin, owed, unfinished
from linkflow.execution.composites import MOST_OPEN
from linkflow.execution.events import Event, ExecutionStarted, Names, ScopeOpened, TaskStarted
from linkflow.execution.evolve import evolve
from linkflow.execution.state import State
from linkflow.language.asl import compile_asl
from tests.unit.driver import Run, gives

Machine = Mapping[str, Any]

PASS: Machine = {"StartAt": "Leaf", "States": {"Leaf": {"Type": "Pass", "End": True}}}


def each(items: int, inner: Machine, name: str) -> Machine:
    state = {"Type": "Map", "Items": list(range(items)), "ItemProcessor": inner, "End": True}
    return {"StartAt": name, "QueryLanguage": "JSONata", "States": {name: state}}


def test_what_follows_at_once_is_dealt_to_turns_that_can_be_written() -> None:
    run = Run(compile_asl(each(100, each(100, PASS, "Inner"), "Outer"))).start()
    assert run.state.output == [list(range(100))] * 100
    sizes = [len(events) for _, events in run.book]
    assert len(sizes) > 5
    assert max(sizes) < MOST_EVENTS + 1_000


def test_a_turn_that_stopped_early_is_gone_on_with_from_the_book() -> None:
    """Given a process that dies between two such turns; then whoever reads the book comes to the same result."""
    run = Run(compile_asl(each(3_000, PASS, "Each")))
    started = ExecutionStarted(None, Names("ex_1", "ex_1", "wf_1", "test"), "ws_1", 1, "hash")
    run.state, events = begin(run.program, started, run.now)
    run.book.append((run.now, events))
    assert unfinished(run.state)
    run.state = run.replayed()
    assert run.tell().state.output == list(range(3_000))


@pytest.mark.parametrize("patience", [1, 2, 7])
def test_a_decision_may_tire_anywhere_and_the_book_goes_on_to_the_same(patience: int) -> None:
    """Given a decision that stops after so many scopes; when others go on from the book; then nothing differs."""
    program = compile_asl(each(9, each(5, PASS, "Inner"), "Outer"))
    whole = Run(program).start()
    events: list[Event] = [ExecutionStarted(None, Names("ex_1", "ex_1", "wf_1", "test"), "ws_1", 1, "hash")]
    state, turns = replayed(events), 0
    while not state.closed:
        turns += 1
        events += advance(program, state, (), 1_000.0, tired=Tired(patience))
        other = replayed(events)
        while not other.closed:
            advance(program, other, (), 1_000.0)
        assert other.output == whole.state.output
    assert state.output == whole.state.output
    assert len(events) == sum(len(turn) for _, turn in whole.book)
    assert turns > 1


class Tired:
    def __init__(self, patience: int) -> None:
        self.patience = patience

    def __call__(self) -> bool:
        self.patience -= 1
        return self.patience < 0


def replayed(events: Sequence[Event]) -> State:
    state = State()
    for event in events:
        evolve(state, event, 1_000.0)
    state.resume()
    return state


def test_maps_in_maps_are_not_all_begun_before_any_is_done() -> None:
    """Given a million iterations without a limit; when it runs; then only so many are open at the same time."""
    program = compile_asl(each(200, each(200, each(25, PASS, "C"), "B"), "A"))
    state, events = begin(program, ExecutionStarted(None, Names("e", "e", "w", "w"), "ws", 1, "h"), 1_000.0)
    most = 0
    for _ in range(16):
        most = max(most, len(state.scopes))
        events += advance(program, state, (), 1_000.0)
    assert MOST_OPEN / 2 < most < 3 * MOST_OPEN
    assert sum(isinstance(event, ScopeOpened) for event in events) > most


def test_what_is_owed_is_described_once_as_long_as_nothing_is_said_of_it() -> None:
    """Given a Map that owes many tasks; when one ends and one is begun; then only the latter is described anew."""
    task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True, "TimeoutSeconds": 9}
    run = Run(compile_asl(each(5, {"StartAt": "Work", "States": {"Work": task}}, "Each"))).start()
    before = {one.task: one for one in run.owed()}
    first, second, *others = before.values()
    run.tell(gives(1)(first), TaskStarted(second.scope, second.task, run.now))
    after = owed(run.program, run.state, before.values())
    assert after == run.owed()
    assert [one.task for one in after if one is not before[one.task]] == [second.task]
    assert len(after) == len(others) + 1


def test_a_loop_that_waits_for_something_goes_on_for_ever() -> None:
    """Given states that go round by a task; then no number of rounds is too many."""
    states = {
        "Work": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Next": "Again"},
        "Again": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.done", "BooleanEquals": True, "Next": "End"}],
            "Default": "Work",
        },
        "End": {"Type": "Succeed"},
    }
    run = Run(compile_asl({"StartAt": "Work", "States": states}))
    started = ExecutionStarted({}, Names("e", "e", "w", "w"), "ws", 1, "h")
    run.state, _ = begin(run.program, started, run.now)
    for _ in range(7_000):
        advance(run.program, run.state, [gives({"done": False})(run.owed()[0])], run.now)
    assert not run.state.closed
    assert entered(run.state) <= 2


def entered(state: State) -> int:
    return state.scopes[0].entries
