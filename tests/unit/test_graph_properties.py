"""What holds for every graph, with graphs inside nodes, whatever happens around it: the order in which outcomes come,
repetitions, late news, dead visits, and a state read again from its book."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkflow.execution import events as e
from linkflow.execution.advance import advance, next_moment
from linkflow.execution.commands import RunTask
from linkflow.execution.state import State
from linkflow.language.json import Json
from tests.unit import random_graphs as drawn
from tests.unit.driver import Answer, Run, gives
from tests.unit.graphs import graph, node, program

OUTCOMES = (e.TaskSucceeded, e.TaskFailed, e.TaskTimedOut)
INTERRUPTIONS = 2
"""A task that takes its process down more often is given up."""


@dataclass
class Recorded(Run):
    """A run that remembers every task it was asked for; its book is read again only when a test says so."""

    asked: list[RunTask] = field(default_factory=list)

    def owed(self) -> list[RunTask]:
        tasks = super().owed()
        self.asked += tasks
        return tasks

    def events(self) -> list[e.Event]:
        return [event for _, turn in self.book for event in turn]

    def rebuild(self) -> None:
        """The state is thrown away and read from the book; reading alone moves nothing."""
        assert advance(self.program, self.replayed(), (), self.now) == []
        read = self.replayed()
        self.state.resume()
        assert read == self.state
        self.state = read

    def _wrote(self, events: Sequence[e.Event]) -> "Recorded":
        self.book.append((self.now, events))
        is_a_tree(self.state)
        return self


@dataclass
class Disturbed(Recorded):
    """A run to which everything happens that may happen around an execution."""

    chance: Random = field(default_factory=Random)
    told: list[e.News] = field(default_factory=list)
    interrupted: Counter[int] = field(default_factory=Counter)
    signals: list[e.SignalReceived] = field(default_factory=list)

    def finish(self, answer: Answer) -> "Disturbed":  # type: ignore[override]  # (there is no answer that suits all)
        while not self.state.closed:
            if self.chance.random() < 0.2:
                self.rebuild()
            tasks = self.owed()
            if self.state.receivers and (not tasks or self.chance.random() < 0.2):
                self._signal()
            elif not tasks or (self._time_may_pass(tasks) and self.chance.random() < 0.2):
                self.later()
            else:
                self._deliver(tasks, answer)
        return self

    def _signal(self) -> None:
        """One or more signals, at times one that was told before, at times more than anybody waits for."""
        news = []
        for _ in range(self.chance.randint(1, 2)):
            news.append(told := self.signal())
            self.signals.append(told)
            self.tell(*news, *self.chance.choices(self.signals, k=self.chance.randint(0, 2)))

    def _time_may_pass(self, tasks: Sequence[RunTask]) -> bool:
        moment = next_moment(self.state)
        return moment is not None and moment not in {task.deadline for task in tasks}

    def _deliver(self, tasks: list[RunTask], answer: Answer) -> None:
        """Some outcomes in one turn, in any order, among old ones and news of nothing; at times the turn is lost after
        it was made, and comes again."""
        some = self.chance.sample(tasks, self.chance.randint(1, min(3, len(tasks))))
        fresh = [answer(task) for task in some]
        news = [*self._noise(tasks), *(one for outcome in fresh for one in (outcome, *self._noise(tasks)))]
        self.told += fresh
        news += self.chance.choices(self.told, k=self.chance.randint(0, 2))
        if self.chance.random() < 0.1:
            lost = advance(self.program, self.state, news, self.now)
            self.state = self.replayed()
            assert advance(self.program, self.replayed(), news, self.now) == lost
        self.tell(*news)

    def _noise(self, tasks: Sequence[RunTask]) -> list[e.News]:
        """News that means nothing, or changes nothing that counts."""
        task, other = self.chance.choice(tasks), self.chance.choice(tasks)
        noise: list[e.News] = [
            *self.chance.choices(self.told, k=min(1, len(self.told))),
            e.TaskStarted(task.scope, task.task, self.now),
            e.TaskHeartbeat(task.scope, task.task),
            e.TaskTimedOut(task.scope, self.state.next_task),
            e.TaskFailed(task.scope, -1, "Lost", "Nobody asked for it."),
            e.TaskSucceeded(self.state.next_scope, task.task, "lost"),
            e.VisitResumed((-1, self.state.next_task)),
        ]
        if task.scope != other.scope:
            noise.append(e.TaskFailed(task.scope, other.task, "Mixed", "It is another's."))
        noise += [e.TaskTimedOut(old.scope, old.task) for old in self.told[-1:] if isinstance(old, OUTCOMES)]
        chosen = self.chance.sample(noise, self.chance.randint(0, 2))
        if self.interrupted[task.task] < INTERRUPTIONS and self.chance.random() < 0.2:
            self.interrupted[task.task] += 1
            chosen.append(e.VisitResumed((task.task,)))
        return chosen


def is_a_tree(state: State) -> None:
    """Every scope but the root is one that its parent waits for, and every one that is waited for is there."""
    composites = [(scope.id, scope.composite) for scope in state.scopes.values() if scope.composite is not None]
    awaited = {child: parent for parent, composite in composites for child in composite.open.values()}
    assert awaited == {scope.id: scope.parent for scope in state.scopes.values() if scope.parent is not None}


def is_over(run: Run) -> None:
    """A closed execution owes nothing, waits for nothing, and hears nothing any more."""
    state = run.state
    assert run.replayed() == state
    assert state.closed
    assert (run.owed(), state.scopes, state.moments, state.agenda, next_moment(state)) == ([], {}, [], [], None)
    assert state.receivers == []
    late = [*(event for _, turn in run.book for event in turn if isinstance(event, OUTCOMES))]
    assert advance(run.program, state, [*late, e.CancelRequested("us_1"), e.VisitResumed((1,))], run.now + 1e9) == []
    assert run.replayed() == state


def tasks_are_recorded_once(run: Recorded) -> None:
    """No task has two outcomes or an outcome elsewhere; attempts of one entry are counted, and share a key no other
    entry has."""
    entered: Counter[int] = Counter()
    attempts: Counter[tuple[int, int]] = Counter()
    entries: dict[int, tuple[int, int]] = {}
    ended: Counter[tuple[int, int]] = Counter()
    for event in run.events():
        match event:
            case e.StateEntered():
                entered[event.scope] += 1
            case e.TaskScheduled():
                assert event.task not in entries
                entries[event.task] = entry = (event.scope, entered[event.scope])
                attempts[entry] += 1
                assert event.attempt == attempts[entry]
            case e.TaskSucceeded() | e.TaskFailed() | e.TaskTimedOut():
                ended[event.scope, event.task] += 1
                assert entries[event.task][0] == event.scope
            case _:
                pass
    assert set(ended.values()) <= {1}
    keys = {(entries[task.task], task.key) for task in run.asked}
    assert len(keys) == len({entry for entry, _ in keys}) == len({key for _, key in keys})


def grows_with_what_ran(run: Recorded) -> None:
    """A node is begun, entered, opened, finished and left; a pause takes two more, an attempt three, a signal two."""
    kinds = Counter(type(event) for event in run.events())
    nodes, skipped = kinds[e.StateEntered], kinds[e.NodeSkipped]
    waits, attempts = kinds[e.WaitStarted], kinds[e.TaskScheduled] + kinds[e.RetryScheduled]
    waits += kinds[e.SignalAwaited]
    noise = kinds[e.SignalReceived] + kinds[e.TaskStarted] + kinds[e.TaskHeartbeat] + kinds[e.VisitResumed]
    assert len(run.events()) <= 2 + 5 * nodes + skipped + 2 * waits + 3 * attempts + noise


def disturbed(definition: Json, rule: Answer, seed: int) -> tuple[Recorded, Disturbed]:
    """The same execution twice: left alone, and with everything happening to it."""
    compiled = program(definition)
    calm, wild = Recorded(compiled), Disturbed(compiled, chance=Random(seed))
    for run in (calm, wild):
        run.start({"n": 1}).finish(rule)
        is_over(run)
        tasks_are_recorded_once(run)
        grows_with_what_ran(run)
    return calm, wild


SEEDS = st.integers(0, 2**32)


@given(drawn.whole("steady"), drawn.RULES, SEEDS)
@settings(deadline=None, derandomize=True, max_examples=250)
def test_whatever_happens_around_it_an_execution_ends_the_same(definition: Json, rule: Answer, seed: int) -> None:
    calm, wild = disturbed(definition, rule, seed)
    assert (wild.state.status, wild.state.output) == (calm.state.status, calm.state.output)
    if calm.state.status == "succeeded":
        assert sorted(run_once(wild)) == sorted(run_once(calm))


def run_once(run: Recorded) -> list[str]:
    """The nodes of the workflow itself, without those inside others, of which a failure may give up any."""
    outer = {event.scope for event in run.events() if isinstance(event, e.ScopeOpened) and event.parent == 0}
    return [event.state for event in run.events() if isinstance(event, e.StateEntered) and event.scope in outer]


@given(drawn.whole("racing"), drawn.RULES, SEEDS)
@settings(deadline=None, derandomize=True, max_examples=120)
def test_where_branches_race_an_execution_still_ends_by_the_same_status(
    definition: Json, rule: Answer, seed: int
) -> None:
    calm, wild = disturbed(definition, rule, seed)
    assert wild.state.status == calm.state.status


ERRORS = (None, "", "States.ALL", "States.Runtime", "States.Timeout", "States.HeartbeatTimeout", "🎈")


@given(drawn.whole("anything"), st.lists(drawn.JSON, min_size=1, max_size=6), SEEDS)
@settings(deadline=None, derandomize=True, max_examples=150)
def test_whatever_tasks_say_nothing_breaks_and_the_execution_ends(
    definition: Json, values: list[Json], seed: int
) -> None:
    chance = Random(seed)

    def answer(task: RunTask) -> e.News:
        scope, number, value = task.scope, task.task, chance.choice(values)
        error, cause = chance.choice(ERRORS), chance.choice([None, "why"])
        said: list[e.News] = [
            e.TaskSucceeded(scope, number, value, exit=chance.choice(["default", "x"])),
            e.TaskFailed(scope, number, error, cause, retryable=chance.random() < 0.8, details={"x": value}),
            e.TaskTimedOut(scope, number, chance.choice(["States.Timeout", "States.HeartbeatTimeout"])),
        ]
        return chance.choice(said)

    run = Recorded(program(definition))
    run.start(chance.choice(values)).finish(answer)
    is_over(run)
    grows_with_what_ran(run)


def costs(kind: str, body: Json, width: int) -> list[e.Event]:
    """The book of a container in which `body` runs `width` times, always on the same input."""
    each = node("each", "loop", {"items": [None], "body": body})
    same = graph([each, node("end", "set", {"values": {}})], "each -> end")
    many: dict[str, Json] = {
        "loop": {"items": [None] * width},
        "repeat": {"until": f"{{{{ vars.passes >= {width} }}}}"},
    }
    around = node("around", kind, {**many[kind], "body": {"nodes": same["nodes"], "edges": same["edges"]}})
    run = Recorded(program(graph([node("start", "manual"), around], "start -> around")))
    run.start().finish(gives(1))
    return run.events()


@pytest.mark.parametrize("kind", ["loop", "repeat"])
@given(body=drawn.bodies("alike"))
@settings(deadline=None, derandomize=True, max_examples=25)
def test_every_further_pass_costs_as_much_as_the_one_before(kind: str, body: Json) -> None:
    """In events, and (but for longer numbers) in bytes."""
    books = [costs(kind, body, width) for width in (4, 8, 12)]
    few, more, most = map(len, books)
    assert most - more == more - few
    few, more, most = (len(msgspec.json.encode(book)) for book in books)
    assert most - more <= 1.1 * (more - few) + 100


@given(drawn.nests(), SEEDS)
@settings(deadline=None, derandomize=True, max_examples=60)
def test_a_node_runs_as_often_as_all_containers_around_it_say(nest: tuple[Json, int], seed: int) -> None:
    definition, times = nest
    calm, wild = disturbed(definition, gives(1), seed)
    assert calm.visited().count("leaf") == wild.visited().count("leaf") == times
