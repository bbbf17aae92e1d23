"""Where a book may be cut, and which programs would have written it."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from linkflow.execution import events as e
from linkflow.execution.advance import advance
from linkflow.execution.evolve import evolve
from linkflow.execution.replay import ENDING, Placed, before_entry, first_divergence, placed, whole
from linkflow.execution.state import State
from linkflow.language.json import Json
from tests.unit import random_graphs as drawn
from tests.unit.driver import Answer, Run
from tests.unit.graphs import graph, node, program
from tests.unit.test_graph_properties import Recorded


def book_of(run: Run) -> list[Placed]:
    return placed([(number, at, events) for number, (at, events) in enumerate(run.book)])


def taken_up(run: Run, kept: list[Placed]) -> Recorded:
    """An execution whose book begins with what was kept."""
    new = Recorded(run.program, now=run.now)
    new.state = State()
    for one in kept:
        evolve(new.state, one.event, one.at)
    new.book = [(kept[0].at, [])]
    for one in kept:
        new.book.append((one.at, [one.event]))
    evolve(new.state, e.ExecutionReset(), run.now)
    new.book.append((run.now, [e.ExecutionReset()]))
    new.state.resume()
    return new


@given(drawn.whole("steady"), drawn.RULES, st.integers(0, 2**32))
@settings(deadline=None, derandomize=True, max_examples=200)
def test_taken_up_again_from_any_event_an_execution_ends_as_it_did(definition: Json, rule: Answer, seed: int) -> None:
    chance = Random(seed)
    run = Recorded(program(definition))
    run.start({"n": 1})
    while not run.state.closed:
        tasks = run.owed()
        if tasks:
            run.tell(*(rule(task) for task in chance.sample(tasks, chance.randint(1, len(tasks)))))
        elif run.state.receivers:
            run.tell(run.signal())
        else:
            run.later()
    book = book_of(run)
    over = next(position for position, one in enumerate(book) if isinstance(one.event, ENDING))
    new = taken_up(run, whole(book, chance.randint(1, over)))
    new.tell()
    new.finish(rule)
    assert (new.state.status, new.state.output) == (run.state.status, run.state.output)


@given(drawn.whole("racing"), drawn.RULES)
@settings(deadline=None, derandomize=True, max_examples=100)
def test_the_program_that_wrote_a_book_would_write_it_again(definition: Json, rule: Answer) -> None:
    run = Recorded(program(definition))
    run.start({"n": 1}).finish(rule)
    assert first_divergence(run.program, book_of(run)) is None


def three(second: str, value: int = 1) -> Run:
    nodes = [node("start", "manual"), node("a"), node(second), node("s", "set", {"values": {"v": value}})]
    return Run(program(graph(nodes, "start -> a", f"a -> {second}", f"{second} -> s")))


def test_another_program_is_told_by_the_first_event_it_would_not_have_written() -> None:
    run = three("b").start(1).finish()
    other = first_divergence(three("c").program, book_of(run))
    assert other is not None
    assert isinstance(other.event, e.ScopeOpened)
    assert other.event.key == "b"
    late = first_divergence(three("b", value=2).program, book_of(run))
    assert late is not None
    assert isinstance(late.event, e.StateExited)


def test_a_change_behind_what_is_kept_is_none() -> None:
    run = three("b").start(1).finish()
    book = book_of(run)
    found = before_entry(book, "b")
    assert found is not None
    assert first_divergence(three("b", value=2).program, whole(book, found)) is None


def test_a_book_is_cut_at_the_last_whole_decision() -> None:
    run = three("b").start(1).finish()
    book = book_of(run)
    found = before_entry(book, "b")
    assert found is not None
    kept = whole(book, found)
    assert isinstance(kept[-1].event, e.TaskSucceeded)
    assert before_entry(book, "nowhere") is None
    assert whole(book, 3) == book[:1]


def test_open_tasks_are_owed_anew_with_all_their_time() -> None:
    run = Run(program(graph([node("start", "manual"), node("a", timeout=10)], "start -> a"))).start(1)
    new = taken_up(run, book_of(run))
    new.now += 100
    evolve(new.state, e.ExecutionReset(), new.now)
    (task,) = new.owed()
    assert (task.deadline, task.started) == (new.now + 10, False)
    assert advance(new.program, new.state, (), new.now) == []
