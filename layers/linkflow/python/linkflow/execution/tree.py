"""The tree of scopes as facts change it: composites begin, children are opened, settled, failed and given up.

Part of `evolve`: it writes into the state it is given. `histories` is kept here too, since what a history tells of a
scope depends on where in the tree it stands.
"""

from msgspec import UNSET
from msgspec.structs import replace

from linkflow.execution import events as e
from linkflow.execution.state import Branches, Failure, Iterations, Nodes, Phase, Scope, State
from linkflow.language.json import Json
from linkflow.language.program import ITEM, address_of


def count(state: State, scope: Scope, events: int) -> None:
    """So many events more in the history that tells of this scope."""
    state.histories[scope.history] += events


def ready(state: State, number: int, phase: Phase) -> Scope:
    scope = state.scopes[number]
    scope.phase = phase
    state.agenda.append(number)
    return scope


def settle(state: State, scope: Scope, output: Json, exit_name: str) -> None:
    """The scope's machine is done: its result goes to the parent's composite, and the scope is gone."""
    parent = leave(state, scope)
    match parent.composite:
        case Nodes() as nodes:
            node = str(scope.key)
            nodes.results[node], nodes.exits[node] = output, exit_name
            nodes.fresh.append(node)
        case Branches() | Iterations() as many:
            many.results[int(scope.key)] = output
            count(state, parent, int(isinstance(many, Iterations) and not many.distributed))
        case None:
            pass
    wake(state, parent.id)


def wake(state: State, number: int) -> None:
    """Put a composite on the agenda, once for many children settled in a row."""
    if not state.agenda or state.agenda[-1] != number:
        state.agenda.append(number)


def leave(state: State, scope: Scope) -> Scope:
    """Take the scope out of the tree; gives its parent."""
    assert scope.parent is not None  # noqa: S101 (the root never settles into a parent)
    del state.scopes[scope.id]
    state.histories.pop(scope.id, None)
    deafen(state, scope)
    parent = state.scopes[scope.parent]
    match parent.composite:
        case Nodes() as nodes:
            nodes.open.pop(str(scope.key), None)
        case Branches() | Iterations() as many:
            many.open.pop(int(scope.key), None)
        case None:
            pass
    return parent


def open_scope(state: State, parent: Scope, event: e.ScopeOpened) -> None:
    match parent.composite:
        case Nodes() as nodes:
            nodes.open[str(event.key)] = event.scope
            nodes.fresh, nodes.begun = [], True
            carry = _gathered(nodes, event, parent.input)
        case Branches() as branches:
            branches.open[int(event.key)] = event.scope
            carry = parent.carry
        case Iterations() as iterations:
            first = int(event.key)
            iterations.open[first] = event.scope
            iterations.next = min(first + (iterations.dealt or 1), len(iterations.items))
            carry = iterations.items[first : iterations.next] if iterations.dealt else iterations.items[first]
            count(state, parent, int(not iterations.distributed))
        case None:
            carry = parent.input
    if event.input is not UNSET:
        carry = event.input
    address = address_of(parent.machine, parent.state, ITEM if type(parent.composite) is Iterations else event.key)
    opened = Scope(event.scope, parent.id, event.key, address, carry, parent.history)
    if type(parent.composite) is Iterations and parent.composite.distributed:
        opened.history, opened.given, state.histories[event.scope] = event.scope, carry, 1
        opened.input = carry if parent.composite.dealt else None
    state.scopes[event.scope] = opened
    state.next_scope = event.scope + 1
    state.agenda.append(event.scope)


def _gathered(nodes: Nodes, event: e.ScopeOpened, start: Json) -> Json:
    """A node's input: its single predecessor's output, or an object of them; the graph's input where none is."""
    if not event.sources:
        return start
    if len(event.sources) == 1 and not event.gather:
        return nodes.results[event.sources[0]]
    return {source: nodes.results[source] for source in event.sources}


def compose(state: State, number: int, composite: Branches | Iterations | Nodes) -> None:
    scope = ready(state, number, "composite")
    scope.composite, scope.carry, scope.result = composite, scope.input, UNSET
    scope.attempt += 1


def waited(state: State, scope: Scope) -> None:
    """Something came that this scope waited for, and all around it with it: none of them is a loop without an end."""
    scope.entries = 0
    while scope.parent is not None:
        scope = state.scopes[scope.parent]
        scope.entries = 0


def fail(state: State, scope: Scope, failure: Failure) -> None:
    """A Parallel's or Map's own failure is told of; so is, inside another, that the failed Task is given up."""
    composite_failed = scope.failure is not None and scope.failure.composite
    failure = from_inside(scope, failure)
    if not failure.node:
        failure = replace(failure, node=scope.state, path=path(state, scope))
    count(state, scope, int(composite_failed))
    if scope.parent is None:
        scope.failure, scope.phase = failure, "ended"
        state.agenda.append(scope.id)
        return
    parent = leave(state, scope)
    composite = parent.composite
    if scope.history == parent.history:
        count(state, parent, _told(composite) + int(scope.attempt > 0 and not composite_failed))
    if isinstance(composite, Iterations):
        composite.failures += 1
        if composite.tolerated_count is not None or composite.tolerated_percentage is not None:
            composite.errors[int(scope.key)] = failure
    if composite is not None:
        composite.failed = composite.failed or failure
    wake(state, parent.id)


def from_inside(scope: Scope, failure: Failure) -> Failure:
    """The scope's failure, and which node inside it has the same."""
    inner = scope.failure or (scope.composite.failed if scope.composite is not None else None)
    if inner is None or inner.error != failure.error:
        return failure
    return replace(failure, node=inner.node, path=inner.path)


def path(state: State, scope: Scope) -> str:
    """Through which containers one comes to it: `orders/3/each/0`; empty at the top."""
    parts: list[str] = []
    while scope.parent is not None:
        parent = state.scopes[scope.parent]
        if not isinstance(parent.composite, Nodes):
            parts += [str(scope.key), parent.state]
        scope = parent
    return "/".join(reversed(parts))


def _told(composite: Branches | Iterations | Nodes | None) -> int:
    """How many events of the history say that a child of it began, failed or was given up."""
    return int(isinstance(composite, Iterations) and not composite.distributed)


def deafen(state: State, scope: Scope) -> None:
    """The scope waits for no signal any more."""
    if scope.wanted is not None:
        state.receivers.remove(scope.id)
        scope.wanted = None


def orphan(state: State, scope: Scope) -> None:
    """Nobody waits any more for the child execution that works on this scope's task, if one does, or for the people who
    were asked. (Either may be, although nobody lived to say so.)"""
    if scope.task is not None and scope.task.pattern in ("sync", "token"):
        (state.orphans if scope.task.pattern == "sync" else state.unasked).append(scope.task.task)


def abort(state: State, scope: Scope) -> None:
    if scope.composite is not None:
        for child in list(scope.composite.open.values()):
            abort(state, state.scopes[child])
    orphan(state, scope)
    standing = int(scope.phase not in ("enter", "ended"))
    if scope.parent is None:
        return
    parent = leave(state, scope)
    if scope.history == parent.history:
        count(state, parent, _told(parent.composite) + standing)
