"""`evolve(state, event, at)`: facts are copied into the state, nothing is judged.

It writes into the state it is given and gives nothing back (see `state.py`). Applying a book's events in order to a new
`State` always rebuilds the same state, byte for byte.
"""

from collections.abc import Mapping
from heapq import heappop, heappush
from typing import assert_never

from msgspec import UNSET

from linkflow.execution import events as e
from linkflow.execution import mailbox, wishes
from linkflow.execution.failures import INTERRUPTED, QUERY_EVALUATION
from linkflow.execution.open_composites import finish, set_out, skip, start_branches, start_graph, start_map, take_items
from linkflow.execution.open_tasks import beat, postpone, schedule, sleep, started, submitted, task_over
from linkflow.execution.parts import begin_part, is_part, part_failed, part_settled
from linkflow.execution.state import Failure, Iterations, Phase, Scope, State, Status
from linkflow.execution.tree import abort, count, fail, from_inside, open_scope, orphan, ready, settle, waited

EXECUTION_DEADLINE = -1
"""Stands for the scope in `State.moments` when the moment is the execution's own deadline."""

_AWAKE: Mapping[Phase, Phase] = {"wait": "finish", "delayed": "enter"}
"""The phase that follows when the moment has come; all others run."""


_BEFORE = (
    *(e.ExecutionQueued, e.ExecutionAdmitted, e.SignalReceived),
    *(e.CancelRequested, e.PauseRequested, e.ResumeRequested),
)
"""What may be recorded before a visit has seen to anything."""


def evolve(state: State, event: e.Event, at: float) -> None:
    """Copy one fact, recorded at the moment `at`, into `state`."""
    if state.renewed and state.paused is None and not isinstance(event, _BEFORE):
        state.renewed = False
    _copy(state, event, at)
    while state.moments and _outdated(state, *state.moments[0]):
        heappop(state.moments)


def _copy(state: State, event: e.Event, at: float) -> None:
    """See `Step` for why these are told apart otherwise than all others."""
    if type(event) is e.StateEntered:
        _enter(state, state.scopes[event.scope], event.state, at)
    elif type(event) is e.StateExited:
        _exit(state, state.scopes[event.scope], event)
    elif type(event) is e.ScopeOpened:
        open_scope(state, state.scopes[event.parent], event)
    elif type(event) is e.TaskScheduled:
        schedule(state, state.scopes[event.scope], event, at)
    elif type(event) is e.TaskSucceeded:
        _succeed(state, event)
    elif type(event) is e.GraphStarted:
        start_graph(state, state.scopes[event.scope], event)
    elif type(event) is e.CompositeFinished:
        finish(state, event)
    elif type(event) is e.ExecutionStarted:
        _start(state, event, at)
    elif type(event) is e.ExecutionSucceeded:
        state.output = state.scopes[0].carry
        _close(state, "succeeded", at)
    else:
        _copy_incident(state, event, at)


def _copy_incident(state: State, event: e.Incident, at: float) -> None:  # noqa: C901, PLR0912, PLR0915 (one arm each)
    match event:
        case e.TaskFailed() | e.TaskTimedOut() if is_part(state.scopes[event.scope]):
            _given_up(state, event)
            part_failed(state, state.scopes[event.scope], Failure(event.error, event.cause))
        case e.NodeSkipped():
            skip(state, event)
        case e.WaitStarted():
            sleep(state, state.scopes[event.scope], event.until, "wait")
        case e.MomentReached():
            _wait_over(state, state.scopes[event.scope])
        case e.TaskFailed():
            _given_up(state, event)
            scope = task_over(state, event.scope)
            scope.failure = Failure(event.error, event.cause, event.retryable, event.retry_after)
            scope.phase = "failed" if scope.composite is None else "composite"
        case e.TaskTimedOut():
            _given_up(state, event)
            scope = task_over(state, event.scope)
            scope.failure = Failure(event.error, event.cause)
            scope.phase = "failed" if scope.composite is None else "composite"
        case e.TaskStarted():
            started(state, state.scopes[event.scope], at)
        case e.LeaseLapsed():
            task = state.scopes[event.scope].task
            if task is not None:
                task.interruptions, task.started = event.lease, False
        case e.TaskPostponed():
            postpone(state, state.scopes[event.scope], event, at)
        case e.ExecutionQueued():
            state.queued, state.queued_until = event.limit, event.until or state.queued_until
        case e.ExecutionAdmitted():
            state.queued, state.admitted = None, True
        case e.TaskSubmitted():
            submitted(state, state.scopes[event.scope])
        case e.TaskHeartbeat():
            beat(state, state.scopes[event.scope], at)
        case e.RetryScheduled():
            scope = state.scopes[event.scope]
            scope.retries[event.retrier] = scope.retries.get(event.retrier, 0) + 1
            scope.last_failure, scope.failure, scope.composite = scope.failure, None, None
            sleep(state, scope, event.until, "backoff")
        case e.StateFailed():
            scope = ready(state, event.scope, "failed")
            ran = isinstance(scope.composite, Iterations) and scope.composite.run != ""
            count(state, scope, int(own_evaluation_failed(event, scope)) + int(ran))
            scope.failure = from_inside(scope, Failure(event.error, event.cause, composite=event.composite))
            scope.composite, scope.task, scope.due = None, None, None
        case e.ScopeFailed():
            fail(state, state.scopes[event.scope], Failure(event.error, event.cause))
        case e.ScopeAborted():
            abort(state, state.scopes[event.scope])
        case e.ParallelStarted():
            start_branches(state, state.scopes[event.scope], event)
        case e.MapStarted():
            start_map(state, state.scopes[event.scope], event)
        case e.MapRunStarted():
            set_out(state, event)
        case e.ItemsRead():
            take_items(state, event)
        case e.Responded():
            state.response = event.response
        case e.ExecutionFailed():
            state.failure = from_inside(state.scopes[0], Failure(event.error, event.cause))
            _close(state, "failed", at)
        case e.ExecutionTimedOut():
            _close(state, "timed_out", at)
        case e.CancelRequested():
            wishes.cancel(state, event, at)
        case e.CleanUpStarted():
            wishes.clean_up(state, event.until)
        case e.ScopeCancelled():
            wishes.give_up(state, state.scopes[event.scope])
        case e.ExecutionCancelled():
            _close(state, "cancelled", at)
        case e.ExecutionTerminated():
            state.cancel, state.successor = event.reason, event.reset_to
            _close(state, "terminated", at)
        case e.ExecutionContinued():
            state.output, state.successor, state.newest = event.input, event.successor, event.newest
            _close(state, "continued", at)
        case e.PauseRequested():
            wishes.pause(state, event, at)
        case e.ResumeRequested():
            wishes.go_on(state, at)
        case e.HandedOver():
            state.held_until = None
        case e.ExecutionReset():
            wishes.renew(state, at)
        case e.VisitResumed():
            _interrupt(state, event.tasks)
            state.renewed = state.paused is not None
        case e.SignalReceived():
            mailbox.hear(state, event)
        case e.SignalAwaited():
            mailbox.listen(state, event)
            if event.until is not None:
                heappush(state.moments, (event.until, event.scope))
        case e.SignalTaken():
            mailbox.take(state, event)
        case e.SignalMissed():
            mailbox.miss(state, event)
        case _:
            assert_never(event)


def _succeed(state: State, event: e.TaskSucceeded) -> None:
    if is_part(state.scopes[event.scope]):
        part_settled(state, state.scopes[event.scope], event.result)
        return
    scope = task_over(state, event.scope)
    scope.result, scope.exit = event.result, event.exit
    scope.phase = "finish" if scope.composite is None else "composite"


def own_evaluation_failed(event: e.StateFailed, scope: Scope) -> bool:
    """Whether the failure is of the state's own expression, and not of one further inside."""
    inner = scope.composite is not None and scope.composite.failed is not None
    return event.error == QUERY_EVALUATION and not inner


def _start(state: State, event: e.ExecutionStarted, at: float) -> None:
    state.workspace, state.names, state.version = event.workspace, event.names, event.version
    state.program, state.input = event.program, event.input
    state.trigger, state.start_at = event.trigger, event.start_at
    state.started_at, state.begins, state.deadline = at, event.begins, event.deadline
    state.histories, state.salt = {0: 1}, event.salt
    state.parent, state.part, state.priority = event.parent, event.part, event.priority
    state.started_by, state.errors = event.by, event.errors
    state.reset_of, state.continued_from, state.chain = event.reset_of, event.continued_from, event.chain
    state.held_until = event.held_until
    if event.deadline is not None:
        heappush(state.moments, (event.deadline, EXECUTION_DEADLINE))
    state.scopes[0] = Scope(id=0, parent=None, key="", machine="", carry=event.input)
    if event.part is not None:
        begin_part(state, event.part)
    state.next_scope = 1
    if event.begins is None:
        state.agenda.append(0)
    else:
        sleep(state, state.scopes[0], event.begins, "delayed")


def _enter(state: State, scope: Scope, name: str, at: float) -> None:
    entered = state.histories[scope.history] + 1
    state.histories[scope.history] = entered
    scope.state, scope.input, scope.next = name, scope.carry, None
    scope.entered_at, scope.entered_id = at, entered
    scope.entries += 1
    scope.steps += 1
    scope.result, scope.exit, scope.attempt = UNSET, "default", 0
    if scope.retries:
        scope.retries, scope.last_failure = {}, None
    scope.phase = "run"
    state.agenda.append(scope.id)


def _exit(state: State, scope: Scope, event: e.StateExited) -> None:
    state.histories[scope.history] += 1 if scope.failure is None or not scope.failure.composite else 2
    output = event.output
    if output is UNSET:
        output = scope.input if scope.result is UNSET else scope.result
    if event.assigned:
        scope.variables = {**scope.variables, **event.assigned}
    scope.cleaning = scope.cleaning or (event.next is not None and wishes.catches_cancel(state, scope))
    scope.carry, scope.next, scope.failure = output, event.next, None
    if event.next is not None:
        scope.phase = "enter"
        state.agenda.append(scope.id)
    elif scope.parent is None:
        scope.phase = "ended"
        state.agenda.append(scope.id)
    else:
        settle(state, scope, output, event.exit)


def _wait_over(state: State, scope: Scope) -> None:
    if scope.phase == "task" and scope.task is not None:
        scope.task.postponed = None
        return
    if scope.due is not None and scope.due > scope.entered_at:
        waited(state, scope)
    ready(state, scope.id, _AWAKE.get(scope.phase, "run")).due = None


def _given_up(state: State, event: e.TaskFailed | e.TaskTimedOut) -> None:
    """The task ends, and not because what worked on it did."""
    if isinstance(event, e.TaskTimedOut) or event.error == INTERRUPTED:
        orphan(state, state.scopes[event.scope])


def _close(state: State, status: Status, at: float) -> None:
    state.status, state.closed_at = status, at
    state.histories[0] += 1
    for scope in state.scopes.values():
        orphan(state, scope)
    state.scopes, state.agenda, state.moments, state.receivers = {}, [], [], []


def _interrupt(state: State, tasks: tuple[int, ...]) -> None:
    for scope in state.scopes.values():
        if scope.task is not None and scope.task.task in tasks:
            scope.task.interruptions += 1


def _outdated(state: State, moment: float, number: int) -> bool:
    """Nobody waits for this moment any more."""
    if number == EXECUTION_DEADLINE:
        return state.closed
    if number == wishes.CLEAN_UP:
        return state.closed or moment != state.clean_up
    scope = state.scopes.get(number)
    if scope is None:
        return True
    task = scope.task
    return scope.due != moment and (task is None or moment not in (task.deadline, task.beat, task.postponed))
