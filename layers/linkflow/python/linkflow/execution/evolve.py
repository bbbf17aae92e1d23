"""`evolve(state, event, at)`: facts are copied into the state, nothing is judged.

It writes into the state it is given and gives nothing back (see `state.py`). Applying a book's events in order to a new
`State` always rebuilds the same state, byte for byte.
"""

from heapq import heappop, heappush
from typing import assert_never

from msgspec import UNSET

from linkflow.execution import events as e
from linkflow.execution.state import Branches, Failure, Iterations, Nodes, OpenTask, Phase, Scope, State, Status
from linkflow.language.json import Json
from linkflow.language.program import ITEM, address_of

EXECUTION_DEADLINE = -1
"""Stands for the scope in `State.moments` when the moment is the execution's own deadline."""


def evolve(state: State, event: e.Event, at: float) -> None:
    """Copy one fact, recorded at the moment `at`, into `state`."""
    _copy(state, event, at)
    while state.moments and _outdated(state, *state.moments[0]):
        heappop(state.moments)


def _copy(state: State, event: e.Event, at: float) -> None:  # noqa: C901, PLR0912, PLR0915 (one arm per event)
    match event:
        case e.StateEntered():
            _enter(state, state.scopes[event.scope], event.state, at)
        case e.StateExited():
            _exit(state, state.scopes[event.scope], event)
        case e.TaskScheduled():
            _schedule(state, state.scopes[event.scope], event, at)
        case e.TaskSucceeded():
            scope = _task_over(state, event.scope)
            scope.result, scope.exit, scope.phase = event.result, event.exit, "finish"
        case e.ScopeOpened():
            _open(state, state.scopes[event.parent], event)
        case e.NodeSkipped():
            nodes = _nodes(state.scopes[event.scope])
            nodes.exits[event.node] = None
            nodes.fresh.append(event.node)
            nodes.begun = True
            _wake(state, event.scope)
        case e.GraphStarted():
            _compose(state, event.scope, Nodes(width=event.nodes), history=0)
        case e.CompositeFinished():
            scope = _ready(state, event.scope, "finish")
            state.history_id += 0 if isinstance(scope.composite, Nodes) else 1
            scope.composite, scope.result = None, _result(scope.composite, event.last)
        case e.WaitStarted():
            _sleep(state, state.scopes[event.scope], event.until, "wait")
        case e.MomentReached():
            scope = state.scopes[event.scope]
            _ready(state, event.scope, "finish" if scope.phase == "wait" else "run").due = None
        case e.ExecutionStarted():
            _start(state, event, at)
        case e.ExecutionSucceeded():
            state.output = state.scopes[0].carry
            _close(state, "succeeded", at)
        case e.TaskFailed():
            scope = _task_over(state, event.scope)
            scope.failure = Failure(event.error, event.cause, event.retryable, event.retry_after)
            scope.phase = "failed"
        case e.TaskTimedOut():
            scope = _task_over(state, event.scope)
            scope.failure, scope.phase = Failure(event.error, event.cause), "failed"
        case e.TaskStarted():
            task = state.scopes[event.scope].task
            if task is not None:
                task.started = True
        case e.RetryScheduled():
            scope = state.scopes[event.scope]
            scope.retries[event.retrier] = scope.retries.get(event.retrier, 0) + 1
            scope.failure, scope.composite = None, None
            _sleep(state, scope, event.until, "backoff")
        case e.StateFailed():
            scope = _ready(state, event.scope, "failed")
            state.history_id += 1 if event.location or isinstance(scope.composite, Branches | Iterations) else 0
            scope.failure = Failure(event.error, event.cause)
            scope.composite, scope.task, scope.due = None, None, None
        case e.ScopeFailed():
            _fail(state, state.scopes[event.scope], Failure(event.error, event.cause))
        case e.ScopeAborted():
            _abort(state, state.scopes[event.scope])
        case e.ParallelStarted():
            _compose(state, event.scope, Branches(width=event.branches), history=1)
            if event.input is not UNSET:
                state.scopes[event.scope].carry = event.input
        case e.MapStarted():
            items = state.scopes[event.scope].input if event.items is UNSET else event.items
            limits = (event.max_concurrency, event.tolerated_count, event.tolerated_percentage, event.distributed)
            _compose(state, event.scope, Iterations(items, *limits), history=1)
        case e.Responded():
            state.response = event.response
        case e.ExecutionFailed():
            state.failure = Failure(event.error, event.cause)
            _close(state, "failed", at)
        case e.ExecutionTimedOut():
            _close(state, "timed_out", at)
        case e.CancelRequested():
            state.cancel = event.reason
        case e.ExecutionCancelled():
            _close(state, "cancelled", at)
        case e.VisitResumed():
            _interrupt(state, event.tasks)
        case _:
            assert_never(event)


def _start(state: State, event: e.ExecutionStarted, at: float) -> None:
    state.workspace, state.names, state.version = event.workspace, event.names, event.version
    state.program, state.input = event.program, event.input
    state.trigger, state.start_at = event.trigger, event.start_at
    state.started_at, state.deadline, state.history_id = at, event.deadline, 1
    if event.deadline is not None:
        heappush(state.moments, (event.deadline, EXECUTION_DEADLINE))
    state.scopes[0] = Scope(id=0, parent=None, key="", machine="", carry=event.input)
    state.next_scope = 1
    state.agenda.append(0)


def _ready(state: State, number: int, phase: Phase) -> Scope:
    scope = state.scopes[number]
    scope.phase = phase
    state.agenda.append(number)
    return scope


def _enter(state: State, scope: Scope, name: str, at: float) -> None:
    state.history_id += 1
    scope.state, scope.input, scope.next = name, scope.carry, None
    scope.entered_at, scope.entered_id = at, state.history_id
    scope.result, scope.exit, scope.attempt = UNSET, "default", 0
    if scope.retries:
        scope.retries = {}
    scope.phase = "run"
    state.agenda.append(scope.id)


def _exit(state: State, scope: Scope, event: e.StateExited) -> None:
    state.history_id += 1
    output: Json = event.output
    if output is UNSET:
        output = scope.input if scope.result is UNSET else scope.result
    if event.assigned:
        scope.variables = {**scope.variables, **event.assigned}
    scope.carry, scope.next, scope.failure = output, event.next, None
    if event.next is not None:
        scope.phase = "enter"
        state.agenda.append(scope.id)
    elif scope.parent is None:
        scope.phase = "ended"
        state.agenda.append(scope.id)
    else:
        _settle(state, scope, output, event.exit)


def _settle(state: State, scope: Scope, output: Json, exit_name: str) -> None:
    """The scope's machine is done: its result goes to the parent's composite, and the scope is gone."""
    parent = _leave(state, scope)
    match parent.composite:
        case Branches() | Iterations() as many:
            many.results[int(scope.key)] = output
            state.history_id += 1 if isinstance(many, Iterations) else 0
        case Nodes() as nodes:
            node = str(scope.key)
            nodes.results[node], nodes.exits[node] = output, exit_name
            nodes.fresh.append(node)
        case None:
            pass
    _wake(state, parent.id)


def _wake(state: State, number: int) -> None:
    """Put a composite on the agenda, once for many children settled in a row."""
    if not state.agenda or state.agenda[-1] != number:
        state.agenda.append(number)


def _leave(state: State, scope: Scope) -> Scope:
    """Take the scope out of the tree; gives its parent."""
    assert scope.parent is not None  # noqa: S101 (the root never settles into a parent)
    del state.scopes[scope.id]
    parent = state.scopes[scope.parent]
    match parent.composite:
        case Branches() | Iterations() as many:
            many.open.pop(int(scope.key), None)
        case Nodes() as nodes:
            nodes.open.pop(str(scope.key), None)
        case None:
            pass
    return parent


def _open(state: State, parent: Scope, event: e.ScopeOpened) -> None:
    match parent.composite:
        case Branches() as branches:
            branches.open[int(event.key)] = event.scope
            carry = parent.carry
        case Iterations() as iterations:
            iterations.open[int(event.key)] = event.scope
            iterations.next = int(event.key) + 1
            carry = iterations.items[int(event.key)]
            state.history_id += 1
        case Nodes() as nodes:
            nodes.open[str(event.key)] = event.scope
            nodes.fresh, nodes.begun = [], True
            carry = _gathered(nodes, event, parent.input)
        case None:
            carry = parent.input
    if event.input is not UNSET:
        carry = event.input
    address = address_of(parent.machine, parent.state, ITEM if isinstance(parent.composite, Iterations) else event.key)
    state.scopes[event.scope] = Scope(id=event.scope, parent=parent.id, key=event.key, machine=address, carry=carry)
    state.next_scope = event.scope + 1
    state.agenda.append(event.scope)


def _gathered(nodes: Nodes, event: e.ScopeOpened, start: Json) -> Json:
    """A node's input: its single predecessor's output, or an object of them; the graph's input where none is."""
    if not event.sources:
        return start
    if len(event.sources) == 1 and not event.gather:
        return nodes.results[event.sources[0]]
    return {source: nodes.results[source] for source in event.sources}


def _compose(state: State, number: int, composite: Branches | Iterations | Nodes, history: int) -> None:
    scope = _ready(state, number, "composite")
    scope.composite, scope.carry = composite, scope.input
    scope.attempt += 1
    state.history_id += history


def _schedule(state: State, scope: Scope, event: e.TaskScheduled, at: float) -> None:
    state.history_id += 2 if event.pattern == "request" else 3
    state.next_task = event.task + 1
    arguments = scope.input if event.arguments is UNSET else event.arguments
    scope.task = OpenTask(event.task, event.attempt, arguments, at, event.deadline, event.heartbeat, event.pattern)
    scope.attempt, scope.phase = event.attempt, "task"
    if event.deadline is not None:
        heappush(state.moments, (event.deadline, scope.id))


def _task_over(state: State, number: int) -> Scope:
    scope = state.scopes[number]
    scope.task = None
    state.history_id += 1
    state.agenda.append(number)
    return scope


def _sleep(state: State, scope: Scope, until: float, phase: Phase) -> None:
    scope.phase, scope.due = phase, until
    heappush(state.moments, (until, scope.id))


def _fail(state: State, scope: Scope, failure: Failure) -> None:
    if scope.parent is None:
        scope.failure, scope.phase = failure, "ended"
        state.agenda.append(scope.id)
        return
    parent = _leave(state, scope)
    composite = parent.composite
    if isinstance(composite, Iterations):
        state.history_id += 1
        composite.failures += 1
    if composite is not None:
        composite.failed = composite.failed or failure
    _wake(state, parent.id)


def _abort(state: State, scope: Scope) -> None:
    if scope.composite is not None:
        for child in list(scope.composite.open.values()):
            _abort(state, state.scopes[child])
    state.history_id += 1 if scope.phase in ("task", "wait", "composite") else 0
    if scope.parent is not None:
        parent = _leave(state, scope)
        state.history_id += 1 if isinstance(parent.composite, Iterations) else 0


def _close(state: State, status: Status, at: float) -> None:
    state.status, state.closed_at = status, at
    state.history_id += 1
    state.scopes, state.agenda, state.moments = {}, [], []


def _nodes(scope: Scope) -> Nodes:
    assert isinstance(scope.composite, Nodes)  # noqa: S101 (only a graph skips nodes)
    return scope.composite


def _result(composite: Branches | Iterations | Nodes | None, last: tuple[str, ...]) -> Json:
    match composite:
        case Branches() | Iterations():
            return [composite.results[index] for index in sorted(composite.results)]
        case Nodes():
            return composite.results[last[0]] if len(last) == 1 else {name: composite.results[name] for name in last}
        case None:
            return None


def _interrupt(state: State, tasks: tuple[int, ...]) -> None:
    for scope in state.scopes.values():
        if scope.task is not None and scope.task.task in tasks:
            scope.task.interruptions += 1


def _outdated(state: State, moment: float, number: int) -> bool:
    """Nobody waits for this moment any more."""
    if number == EXECUTION_DEADLINE:
        return state.closed
    scope = state.scopes.get(number)
    if scope is None:
        return True
    return scope.due != moment and (scope.task is None or scope.task.deadline != moment)
