"""What people wish of a running execution: that it ends, pauses, goes on.

Cancelling is graceful. The wish is recorded; if no open state has a handler that names `LinkFlow.Cancelled`, the
execution is over in the same turn. Otherwise everything it is at fails with that error, from the leaves inwards:

    CleanUpStarted ──▶ every open leaf: ScopeCancelled ──▶ a Catch that names it / a `try` handler  ──▶ runs on
                                                       └─▶ none: the scope fails
    a composite begins nothing new, waits for its open children, and then fails in the same way

A scope that caught it is `cleaning`: it and all inside it run as always. When the root is done, however it ended, or
the time for it is over, or somebody asks again, the execution closes as cancelled. No wildcard catches it, and nothing
is tried again for it.

While an execution is paused, news is recorded and nothing follows from it; the time of its tasks stands still, and
that of waits and of the execution's deadline does not.

Part of `evolve` (what writes) and of `decide` (what judges).
"""

from collections.abc import Iterator
from heapq import heappush
from typing import Final

from linkflow.execution import events as e
from linkflow.execution.failures import CANCELLED
from linkflow.execution.state import Failure, Iterations, Nodes, Pause, Scope, State
from linkflow.execution.tokens import taken_over
from linkflow.execution.tree import count, deafen, orphan
from linkflow.language import program as p

CLEAN_UP: Final = -2
"""Stands for the scope in `State.moments` when the moment is the end of the time for cleaning up."""

# ---------------------------------------------------------------- what is copied


def cancel(state: State, event: e.CancelRequested, at: float) -> None:
    """A second wish makes the time for cleaning up end now."""
    if state.paused is not None:
        go_on(state, at)
    state.cancel, state.cancel_request = event.reason, event.request
    if state.clean_up is not None:
        clean_up(state, at)


def clean_up(state: State, until: float) -> None:
    state.clean_up = until
    heappush(state.moments, (until, CLEAN_UP))
    state.agenda += [scope.id for scope in state.scopes.values() if scope.composite is not None]


def give_up(state: State, scope: Scope) -> None:
    """Its task, wait or Map is given up: its state failed. (Histories tell of a task and of a Map's run.)"""
    orphan(state, scope)
    work = scope.composite
    ran = isinstance(work, Iterations) and work.run != ""
    works = scope.task is not None or scope.wanted is not None
    count(state, scope, int(ran or (work is None and works)))
    deafen(state, scope)
    scope.failure = Failure(CANCELLED, state.cancel or None, retryable=False, composite=work is not None)
    scope.task, scope.due, scope.composite, scope.phase = None, None, None, "failed"
    state.agenda.append(scope.id)


def catches_cancel(state: State, scope: Scope) -> bool:
    """Whether a rule that leads the scope on now is for the execution's being cancelled."""
    return state.clean_up is not None and scope.failure is not None and scope.failure.error == CANCELLED


def pause(state: State, event: e.PauseRequested, at: float) -> None:
    state.paused = Pause(event.by, event.reason, at)


def go_on(state: State, at: float) -> None:
    """Tasks get back the time that passed."""
    if state.paused is not None:
        for scope in state.scopes.values():
            _prolong(state, scope, at - state.paused.since)
        state.paused = None


def _prolong(state: State, scope: Scope, seconds: float) -> None:
    task = scope.task
    if task is None:
        return
    if task.deadline is not None:
        task.deadline += seconds
        heappush(state.moments, (task.deadline, scope.id))
    if task.beat is not None:
        task.beat += seconds
        heappush(state.moments, (task.beat, scope.id))


def renew(state: State, at: float) -> None:
    """Every open task is owed as if it were scheduled now, and nothing that was begun for it counts."""
    state.paused, state.orphans, state.unasked, state.renewed = None, [], [], True
    state.queued, state.queued_until, state.admitted = None, None, False
    for scope in state.scopes.values():
        task = scope.task
        if task is not None:
            _prolong(state, scope, at - task.scheduled)
            if task.heartbeat is not None:
                task.beat = at + task.heartbeat
                heappush(state.moments, (task.beat, scope.id))
            if task.pattern == "token":
                task.arguments = taken_over(task.arguments, state, scope.id, task.task)
            task.scheduled, task.started, task.submitted, task.interruptions = at, False, False, 0


# ---------------------------------------------------------------- what is judged


Wish = e.CancelRequested | e.ExecutionTerminated | e.PauseRequested | e.ResumeRequested


def accepts(state: State, wish: Wish) -> bool:
    """Whether an open execution still cares."""
    match wish:
        case e.CancelRequested():
            return state.cancel is None or (state.clean_up is not None and wish.request != state.cancel_request)
        case e.ExecutionTerminated():
            return True
        case e.PauseRequested():
            return state.paused is None and state.cancel is None
        case e.ResumeRequested():
            return state.paused is not None


def cancelled(program: p.Program, state: State, now: float) -> Iterator[e.Event]:
    """What follows from the wish to cancel."""
    if not _has_handler(program, state):
        yield e.ExecutionCancelled(state.cancel or "")
        return
    until = now + program.clean_up
    yield e.CleanUpStarted(until if state.deadline is None else min(until, state.deadline))
    for scope in list(state.scopes.values()):
        if scope.id in state.scopes and _is_leaf(scope):
            yield from _failed(state, scope)


def waits_for_the_rest(program: p.Program, state: State) -> bool:
    """Whether what follows from the book without the wish must follow first: tasks may run that are in no turn yet (a
    turn that follows from others may be put late), and what cleans up after them must know of them."""
    if state.clean_up is not None or state.closed or not state.agenda:
        return False
    boxes = (box for machine in program.machines.values() for box in machine.states.values())
    return any(CANCELLED in catcher.errors for box in boxes for catcher in box.catch)


def _has_handler(program: p.Program, state: State) -> bool:
    return any(
        CANCELLED in catcher.errors
        for scope in state.scopes.values()
        if scope.state and scope.phase not in ("enter", "ended")
        for catcher in program.machines[scope.machine].states[scope.state].catch
    )


def _is_leaf(scope: Scope) -> bool:
    """Whether the scope is at something by itself: a Map that reads, writes or was dealt is."""
    work = scope.composite
    return work is None or scope.task is not None or (isinstance(work, Iterations) and work.dealt > 0)


def _failed(state: State, scope: Scope) -> Iterator[e.Event]:
    if scope.phase in ("delayed", "enter", "ended"):
        yield e.ScopeFailed(scope.id, CANCELLED, state.cancel or None)
        return
    if scope.composite is not None:
        for child in list(scope.composite.open.values()):
            yield e.ScopeAborted(child)
    yield e.ScopeCancelled(scope.id)


def winds_down(state: State, scope: Scope) -> bool:
    """Whether a composite begins nothing new, since the execution is being cancelled and this is no clean-up."""
    if state.clean_up is None:
        return False
    around: Scope | None = scope
    while around is not None:
        if around.cleaning:
            return False
        around = None if around.parent is None else state.scopes[around.parent]
    return True


def wind_down(state: State, scope: Scope) -> Iterator[e.Event]:
    """The composite of `scope` waits for its children, then its state fails."""
    if scope.composite is not None and not scope.composite.open:
        told = not isinstance(scope.composite, Nodes)
        yield e.StateFailed(scope.id, CANCELLED, state.cancel or None, composite=told)
