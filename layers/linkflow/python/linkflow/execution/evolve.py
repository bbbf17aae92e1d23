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

EVALUATION_FAILED = "States.QueryEvaluationError"
"""The error of JSONata expressions, the only one that has an event of its own in a history."""

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
            scope.result, scope.exit = event.result, event.exit
            scope.phase = "finish" if scope.composite is None else "composite"
        case e.ScopeOpened():
            _open(state, state.scopes[event.parent], event)
        case e.NodeSkipped():
            nodes = _nodes(state.scopes[event.scope])
            nodes.exits[event.node] = None
            nodes.fresh.append(event.node)
            nodes.begun = True
            _wake(state, event.scope)
        case e.GraphStarted():
            _compose(state, event.scope, Nodes(width=event.nodes))
            _count(state, state.scopes[event.scope], 1)
        case e.CompositeFinished():
            _finish(state, event)
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
            scope.phase = "failed" if scope.composite is None else "composite"
        case e.TaskTimedOut():
            scope = _task_over(state, event.scope)
            scope.failure = Failure(event.error, event.cause)
            scope.phase = "failed" if scope.composite is None else "composite"
        case e.TaskStarted():
            task = state.scopes[event.scope].task
            if task is not None:
                task.started = True
        case e.TaskSubmitted():
            _count(state, state.scopes[event.scope], 1)
        case e.TaskHeartbeat():
            _beat(state, state.scopes[event.scope], at)
        case e.RetryScheduled():
            scope = state.scopes[event.scope]
            scope.retries[event.retrier] = scope.retries.get(event.retrier, 0) + 1
            scope.failure, scope.composite = None, None
            _sleep(state, scope, event.until, "backoff")
        case e.StateFailed():
            scope = _ready(state, event.scope, "failed")
            ran = isinstance(scope.composite, Iterations) and scope.composite.run != ""
            _count(state, scope, int(own_evaluation_failed(event, scope)) + int(ran))
            scope.failure = Failure(event.error, event.cause, composite=event.composite)
            scope.composite, scope.task, scope.due = None, None, None
        case e.ScopeFailed():
            _fail(state, state.scopes[event.scope], Failure(event.error, event.cause))
        case e.ScopeAborted():
            _abort(state, state.scopes[event.scope])
        case e.ParallelStarted():
            _compose(state, event.scope, Branches(width=event.branches))
            _count(state, state.scopes[event.scope], 1)
            if event.input is not UNSET:
                state.scopes[event.scope].carry = event.input
        case e.MapStarted():
            _start_map(state, state.scopes[event.scope], event)
        case e.MapRunStarted():
            _start_run(state, event)
        case e.ItemsRead():
            work = _iterations(_ready(state, event.scope, "composite"))
            work.items, work.stage = event.items, "running"
            state.scopes[event.scope].result = UNSET
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


def own_evaluation_failed(event: e.StateFailed, scope: Scope) -> bool:
    """Whether the failure is of the state's own expression, and not of one further inside."""
    inner = scope.composite is not None and scope.composite.failed is not None
    return event.error == EVALUATION_FAILED and not inner


def _start(state: State, event: e.ExecutionStarted, at: float) -> None:
    state.workspace, state.names, state.version = event.workspace, event.names, event.version
    state.program, state.input = event.program, event.input
    state.trigger, state.start_at = event.trigger, event.start_at
    state.started_at, state.deadline, state.histories, state.salt = at, event.deadline, {0: 1}, event.salt
    if event.deadline is not None:
        heappush(state.moments, (event.deadline, EXECUTION_DEADLINE))
    state.scopes[0] = Scope(id=0, parent=None, key="", machine="", carry=event.input)
    state.next_scope = 1
    state.agenda.append(0)


def _count(state: State, scope: Scope, events: int) -> None:
    """So many events more in the history that tells of this scope."""
    state.histories[scope.history] += events


def _ready(state: State, number: int, phase: Phase) -> Scope:
    scope = state.scopes[number]
    scope.phase = phase
    state.agenda.append(number)
    return scope


def _enter(state: State, scope: Scope, name: str, at: float) -> None:
    entered = state.histories[scope.history] + 1
    state.histories[scope.history] = entered
    scope.state, scope.input, scope.next = name, scope.carry, None
    scope.entered_at, scope.entered_id = at, entered
    scope.result, scope.exit, scope.attempt = UNSET, "default", 0
    if scope.retries:
        scope.retries = {}
    scope.phase = "run"
    state.agenda.append(scope.id)


def _exit(state: State, scope: Scope, event: e.StateExited) -> None:
    state.histories[scope.history] += 1 if scope.failure is None or not scope.failure.composite else 2
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
            _count(state, parent, int(isinstance(many, Iterations) and not many.distributed))
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
    state.histories.pop(scope.id, None)
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
            _count(state, parent, int(not iterations.distributed))
        case Nodes() as nodes:
            nodes.open[str(event.key)] = event.scope
            nodes.fresh, nodes.begun = [], True
            carry = _gathered(nodes, event, parent.input)
        case None:
            carry = parent.input
    if event.input is not UNSET:
        carry = event.input
    address = address_of(parent.machine, parent.state, ITEM if isinstance(parent.composite, Iterations) else event.key)
    opened = Scope(event.scope, parent.id, event.key, address, carry, parent.history)
    if isinstance(parent.composite, Iterations) and parent.composite.distributed:
        opened.history, opened.given, state.histories[event.scope] = event.scope, carry, 1
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


def _compose(state: State, number: int, composite: Branches | Iterations | Nodes) -> None:
    scope = _ready(state, number, "composite")
    scope.composite, scope.carry, scope.result = composite, scope.input, UNSET
    scope.attempt += 1


def _start_map(state: State, scope: Scope, event: e.MapStarted) -> None:
    items = scope.input if event.items is UNSET else event.items
    limits = (event.max_concurrency, event.tolerated_count, event.tolerated_percentage, event.distributed)
    _compose(state, scope.id, Iterations(items, *limits, "starting" if event.distributed else "running"))
    _count(state, scope, 1)


def _start_run(state: State, event: e.MapRunStarted) -> None:
    scope = _ready(state, event.scope, "composite")
    work = _iterations(scope)
    work.run, work.stage = event.run, "reading" if event.reading else "running"
    work.tolerated_count, work.tolerated_percentage = event.tolerated_count, event.tolerated_percentage
    work.max_items, work.writer = event.max_items, event.writer
    if event.items is not UNSET:
        work.items = event.items
    _count(state, scope, 1)


def _finish(state: State, event: e.CompositeFinished) -> None:
    scope = _ready(state, event.scope, "finish")
    composite = scope.composite
    ran = isinstance(composite, Iterations) and composite.run != ""
    _count(state, scope, 2 if ran else 1)
    scope.result = _result(composite, event.last) if event.result is UNSET else event.result
    scope.composite = None


def _schedule(state: State, scope: Scope, event: e.TaskScheduled, at: float) -> None:
    """A Map's own tasks, which read and write, are in no history."""
    state.next_task = event.task + 1
    arguments = scope.input if event.arguments is UNSET else event.arguments
    beat = None if event.heartbeat is None else at + event.heartbeat
    scope.task = OpenTask(
        event.task,
        event.attempt,
        arguments,
        at,
        event.deadline,
        event.heartbeat,
        beat,
        event.pattern,
        event.credentials,
    )
    scope.phase = "task"
    if scope.composite is None:
        scope.attempt, scope.result = event.attempt, UNSET
        state.histories[scope.history] += 2
    elif isinstance(scope.composite, Iterations) and scope.composite.stage != "reading":
        scope.composite.stage = "writing"
    for moment in (event.deadline, beat):
        if moment is not None:
            heappush(state.moments, (moment, scope.id))


def _task_over(state: State, number: int) -> Scope:
    scope = state.scopes[number]
    scope.task = None
    if isinstance(scope.composite, Iterations):
        scope.composite.written += int(scope.composite.stage == "writing")
    else:
        state.histories[scope.history] += 1
    state.agenda.append(number)
    return scope


def _beat(state: State, scope: Scope, at: float) -> None:
    task = scope.task
    if task is not None and task.heartbeat is not None:
        task.beat = at + task.heartbeat
        heappush(state.moments, (task.beat, scope.id))


def _sleep(state: State, scope: Scope, until: float, phase: Phase) -> None:
    scope.phase, scope.due = phase, until
    heappush(state.moments, (until, scope.id))


def _fail(state: State, scope: Scope, failure: Failure) -> None:
    """A Parallel's or Map's own failure is told of; so is, inside another, that the failed Task is given up."""
    composite_failed = scope.failure is not None and scope.failure.composite
    _count(state, scope, int(composite_failed))
    if scope.parent is None:
        scope.failure, scope.phase = failure, "ended"
        state.agenda.append(scope.id)
        return
    parent = _leave(state, scope)
    composite = parent.composite
    if scope.history == parent.history:
        _count(state, parent, _told(composite) + int(scope.attempt > 0 and not composite_failed))
    if isinstance(composite, Iterations):
        composite.failures += 1
        if composite.tolerated_count is not None or composite.tolerated_percentage is not None:
            composite.errors[int(scope.key)] = failure
    if composite is not None:
        composite.failed = composite.failed or failure
    _wake(state, parent.id)


def _told(composite: Branches | Iterations | Nodes | None) -> int:
    """How many events of the history say that a child of it began, failed or was given up."""
    return int(isinstance(composite, Iterations) and not composite.distributed)


def _abort(state: State, scope: Scope) -> None:
    if scope.composite is not None:
        for child in list(scope.composite.open.values()):
            _abort(state, state.scopes[child])
    standing = int(scope.phase not in ("enter", "ended"))
    if scope.parent is None:
        return
    parent = _leave(state, scope)
    if scope.history == parent.history:
        _count(state, parent, _told(parent.composite) + standing)


def _close(state: State, status: Status, at: float) -> None:
    state.status, state.closed_at = status, at
    state.histories[0] += 1
    state.scopes, state.agenda, state.moments = {}, [], []


def _nodes(scope: Scope) -> Nodes:
    assert isinstance(scope.composite, Nodes)  # noqa: S101 (only a graph skips nodes)
    return scope.composite


def _iterations(scope: Scope) -> Iterations:
    assert isinstance(scope.composite, Iterations)  # noqa: S101 (only a Map runs)
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
    return scope.due != moment and (scope.task is None or moment not in (scope.task.deadline, scope.task.beat))
