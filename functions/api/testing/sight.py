"""What a graph's expressions see where no execution stands: one made up, or a past one as its book remembers it.

A closed execution has no scopes left in its state, and an open one has moved on. What a node saw is found by reading
the book up to the entry into it; what there is in the end, by reading all of it and putting what its scopes held last
back where expressions look for it.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from linkflow.execution.events import Event, Names, StateEntered
from linkflow.execution.evolve import evolve
from linkflow.execution.state import Nodes, Scope, State
from linkflow.execution.surroundings import ScopeSurroundings
from linkflow.execution.timeline import timeline
from linkflow.language.json import Json
from linkflow.language.view import Surroundings, View

Turns = Sequence[tuple[float, Sequence[Event]]]
"""A book: moments, and what was recorded then."""


def made_up(
    workspace: str, execution: str, now: float, trigger: Json, nodes: Mapping[str, Json], variables: Mapping[str, Json]
) -> View:
    """From an execution that never was; the input is the trigger's."""
    state = State(workspace=workspace, names=Names(execution, execution, "", ""), input=trigger, started_at=now)
    return View(trigger, _amid(state, nodes, variables, now))


def seen_by(turns: Turns, node: str) -> View | None:
    """From where the node stood when it was last entered; None: it never was."""
    found = [
        (turn, position, event.scope)
        for turn, (_, events) in enumerate(turns)
        for position, event in enumerate(events)
        if isinstance(event, StateEntered) and event.state == node
    ]
    if not found:
        return None
    last, position, number = found[-1]
    state = State()
    for turn, (at, events) in enumerate(turns[: last + 1]):
        for event in events[: position + 1] if turn == last else events:
            evolve(state, event, at)
    scope = state.scopes[number]
    return View(scope.input, ScopeSurroundings(state, scope, turns[last][0]))


def seen_in_the_end(turns: Turns) -> View:
    """From behind all that was recorded; the input is the execution's. A state machine's states stand for nodes."""
    state, root, graph = State(), None, None
    for at, events in turns:
        for event in events:
            evolve(state, event, at)
            root = state.scopes.get(0, root)
            if root is not None and isinstance(root.composite, Nodes):
                graph = root.composite
    outputs = graph.results if graph else _outputs(turns)
    return View(state.input, _amid(state, outputs, root.variables if root else {}, turns[-1][0]))


def _outputs(turns: Turns) -> Mapping[str, Json]:
    _, entries = timeline(turns)
    return {entry.node: entry.output for entry in entries if entry.status == "succeeded" and not entry.path}


def _amid(state: State, nodes: Mapping[str, Json], variables: Mapping[str, Json], now: float) -> ScopeSurroundings:
    """The surroundings of one more node of a graph that has these outputs and variables."""
    graph = Scope(id=0, parent=None, key="", machine="", variables=dict(variables))
    graph.composite = Nodes(width=len(nodes), results=dict(nodes))
    node = Scope(id=1, parent=0, key="", machine="")
    state.scopes = {0: graph, 1: node}
    return ScopeSurroundings(state, node, now)


class _Replaced:
    """Surroundings of which some roots are somebody else's."""

    __slots__ = ("_around", "_roots")

    def __init__(self, around: Surroundings, roots: Mapping[str, Json]) -> None:
        self._around = around
        self._roots = roots

    @property
    def now(self) -> float:
        return self._around.now

    def own(self) -> Mapping[str, Json]:
        return self._around.own()

    def variables(self) -> Mapping[str, Json]:
        return self._around.variables()

    def context(self) -> Mapping[str, Json]:
        return self._around.context()

    def roots(self) -> Mapping[str, Json]:
        return {**self._around.roots(), **self._roots}

    def link(self, kind: Literal["resume", "approval"], person: str = "") -> str:
        return self._around.link(kind, person)

    def seed(self) -> int:
        return self._around.seed()


def with_roots(view: View, roots: Mapping[str, Json]) -> View:
    """The view with these roots in place of its own of the same name, `input` included."""
    return View(roots.get("input", view.input), _Replaced(view.around, roots))
