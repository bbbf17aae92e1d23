"""Parallel, Map and Graph: how a scope of many children begins, goes on when one of them is settled, and ends.

Opening a child is one event for all three. When a child's failure cannot be borne, the others are given up first, then
the composite's own state fails.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import UNSET

from linkflow.execution import events as e
from linkflow.execution import map_runs, parts
from linkflow.execution.failures import TOLERANCE_EXCEEDED
from linkflow.execution.state import Composite, Failure, Iterations, Nodes, Scope, State
from linkflow.execution.wishes import winds_down
from linkflow.language import program as p
from linkflow.language.view import View

MOST_OPEN: Final = 20_000
"""Scopes of one execution, above which a Map begins no more iterations than it must to go on: Maps in Maps would
otherwise all be begun before any is done."""


def start_parallel(box: p.Parallel, state: State, scope: Scope, view: View) -> Iterator[e.Event]:
    arguments = box.flow.arguments(box.flow.enter(view))
    yield e.ParallelStarted(scope.id, len(box.branches), UNSET if arguments is scope.input else arguments)
    first = state.next_scope
    for index in range(len(box.branches)):
        yield e.ScopeOpened(scope.id, first + index, index)


def continue_parallel(scope: Scope) -> Iterator[e.Event]:
    branches = scope.composite
    assert branches is not None and not isinstance(branches, Nodes | Iterations)  # noqa: S101, PT018 (by the caller)
    if branches.failed is not None:
        yield from _give_up(scope, branches, branches.failed)
    elif len(branches.results) == branches.width:
        yield e.CompositeFinished(scope.id)


def start_map(box: p.Map, scope: Scope, view: View) -> Iterator[e.Event]:
    inner = box.flow.enter(view)
    items = [] if box.reader else box.items.evaluate(inner)
    limit = box.max_concurrency.evaluate(inner) if box.max_concurrency else 0
    kept = UNSET if items is scope.input else items
    if box.distributed:
        yield e.MapStarted(scope.id, len(items), kept, limit, distributed=True)
    else:
        tolerated = map_runs.tolerances(box, inner)
        yield e.MapStarted(scope.id, len(items), kept, limit, *tolerated, keep_errors=box.keep_errors)


def continue_map(box: p.Map, state: State, scope: Scope, view: View) -> Iterator[e.Event]:
    work = scope.composite
    assert isinstance(work, Iterations)  # noqa: S101 (by the caller)
    failure = _unbearable(work)
    if failure is not None:
        yield from _give_up(scope, work, failure)
        return
    if work.stage != "running":
        yield from map_runs.go_on(box, state, scope, work, view)
        return
    if work.next == len(work.items) and not work.open:
        yield from map_runs.end(box, state, scope, work)
        return
    if work.dealt:
        yield from _deal(box, state, scope, work, view)
        return
    room = len(work.items) if not work.max_concurrency else work.max_concurrency
    spare = max(MOST_OPEN - len(state.scopes), 1 - len(work.open))
    first, number = work.next, state.next_scope
    for offset in range(min(room - len(work.open), spare, len(work.items) - first)):
        index = first + offset
        yield e.ScopeOpened(scope.id, number + offset, index, _selected(box, state, scope, view, index))


def _deal(box: p.Map, state: State, scope: Scope, work: Iterations, view: View) -> Iterator[e.Event]:
    """Open as many parts as may be worked on at the same time."""
    number = state.next_scope
    for offset in range(parts.hands(work.max_concurrency) - len(work.open)):
        first = work.next + offset * work.dealt
        if first >= len(work.items):
            return
        given = [
            _selected(box, state, scope, view, index)
            for index in range(first, min(first + work.dealt, len(work.items)))
        ]
        yield e.ScopeOpened(scope.id, number + offset, first, UNSET if given[0] is UNSET else given)


def _selected(box: p.Map, state: State, scope: Scope, view: View, index: int) -> e.Value:
    """What the iteration receives instead of its item, if the Map says so."""
    work = scope.composite
    if state.part is not None and scope.parent is None:
        return UNSET if state.part.inputs is None else state.part.inputs[index]
    if box.selector is None or box.batcher is not None or not isinstance(work, Iterations):
        return UNSET
    return map_runs.selected(box.selector, box, state, scope, view.around.now, (index, work.items[index]))


def _unbearable(work: Iterations) -> Failure | None:
    """The failure to end with, once more iterations failed than the definition tolerates."""
    if work.failed is None:
        return None
    count, percentage = work.tolerated_count, work.tolerated_percentage
    if count is None and percentage is None and not work.distributed:
        return work.failed
    if percentage is None:
        count = count or 0
    over_count = count is not None and work.failures > count
    over_percentage = percentage is not None and work.failures * 100 > percentage * len(work.items)
    if over_count or over_percentage:
        return Failure(TOLERANCE_EXCEEDED, "The specified tolerated failure threshold was exceeded")
    return None


def is_doomed(state: State, scope: Scope) -> bool:
    """Whether a sibling's failure has already ended the composite around this scope, which then gives it up."""
    around = state.scopes[scope.parent].composite if scope.parent is not None else None
    if around is None or around.failed is None or winds_down(state, state.scopes[scope.parent or 0]):
        return False
    return _unbearable(around) is not None if isinstance(around, Iterations) else True


def _give_up(scope: Scope, composite: Composite, failure: Failure) -> Iterator[e.Event]:
    for child in list(composite.open.values()):
        yield e.ScopeAborted(child)
    yield e.StateFailed(scope.id, failure.error, failure.cause, composite=not isinstance(composite, Nodes))


# ---------------------------------------------------------------- graph


def continue_graph(box: p.Graph, state: State, scope: Scope) -> Sequence[e.Event]:
    """Look at the edges behind every freshly settled node, start or skip the nodes they lead to, end when all are
    settled. The graph's output is that of its last nodes: alone if one was reached, else an object of them."""
    work = scope.composite
    assert isinstance(work, Nodes)  # noqa: S101 (by the caller)
    if work.failed is not None:
        return tuple(_give_up(scope, work, work.failed))
    opened: list[e.Event] = []
    skipped: list[e.Event] = []
    for name in _awaited(box, work) if work.begun else _starting(box):
        node = box.nodes[name]
        verdict = _verdict(node, work, state.start_at)
        if verdict:
            number = state.next_scope + len(opened)
            sources = _sources(node, work)
            opened.append(e.ScopeOpened(scope.id, number, name, sources=sources, gather=node.join.gather))
        elif verdict is False:
            skipped.append(e.NodeSkipped(scope.id, name))
    if len(work.exits) == work.width:
        return (*opened, *skipped, e.CompositeFinished(scope.id, _last(box, work)))
    return opened + skipped


def _starting(box: p.Graph) -> list[str]:
    return [name for name, node in box.nodes.items() if not node.incoming]


def _awaited(box: p.Graph, work: Nodes) -> list[str]:
    """The nodes behind freshly settled ones that have not begun themselves, in the graph's order."""
    waiting: set[str] = set()
    for name in work.fresh:
        for edge in box.nodes[name].outgoing:
            if edge.target not in work.exits and edge.target not in work.open:
                waiting.add(edge.target)
    return list(waiting) if len(waiting) < 2 else [name for name in box.nodes if name in waiting]


def _verdict(node: p.GraphNode, work: Nodes, start_at: str | None) -> bool | None:
    """True: run it. False: skip it. None: some edge it waits for is not settled."""
    if node.trigger:
        return start_at is None or start_at == node.machine.start_at
    settled = live = 0
    for edge in node.incoming:
        if edge.source in work.exits:
            settled += 1
            live += _is_live(edge, work)
    if node.join.quorum is not None:
        return _quorum_verdict(node, node.join.quorum, settled, live)
    if settled < len(node.incoming):
        return None
    return live > 0 or not node.incoming


def _quorum_verdict(node: p.GraphNode, quorum: int, settled: int, live: int) -> bool | None:
    if live >= quorum:
        return True
    return False if live + len(node.incoming) - settled < quorum else None


def _is_live(edge: p.Edge, work: Nodes) -> bool:
    return work.exits[edge.source] == edge.branch  # (of a skipped node it is None, which no branch is)


def _sources(node: p.GraphNode, work: Nodes) -> tuple[str, ...]:
    if len(node.incoming) == 1:
        return (node.incoming[0].source,)  # (it runs, so that edge is live)
    live = (edge.source for edge in node.incoming if edge.source in work.exits and _is_live(edge, work))
    return tuple(dict.fromkeys(live))


def _last(box: p.Graph, work: Nodes) -> tuple[str, ...]:
    """Those that ran, and from which no live edge leads on."""
    gone_on = {edge.source for node in box.nodes.values() for edge in node.incoming if _is_live(edge, work)}
    return tuple(name for name in box.nodes if work.exits[name] is not None and name not in gone_on)
