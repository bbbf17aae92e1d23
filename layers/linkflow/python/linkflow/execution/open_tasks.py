"""What facts change of a scope that waits, for its task or for a moment. Part of `evolve`: it writes into the state."""

from heapq import heappush

from msgspec import UNSET

from linkflow.execution import events as e
from linkflow.execution.state import Iterations, OpenTask, Phase, Scope, State
from linkflow.execution.tree import count, waited


def schedule(state: State, scope: Scope, event: e.TaskScheduled, at: float) -> None:
    """A Map's own tasks, which read and write, are in no history."""
    state.next_task = event.task + 1
    arguments = scope.input if event.arguments is UNSET else event.arguments
    leased = event.pattern == "activity"
    beat = None if event.heartbeat is None or leased else at + event.heartbeat
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
        state.histories[scope.history] += 1 if leased else 2
    elif type(scope.composite) is Iterations and scope.composite.stage != "reading":
        scope.composite.stage = "writing"
    for moment in (event.deadline, beat):
        if moment is not None:
            heappush(state.moments, (moment, scope.id))


def task_over(state: State, number: int) -> Scope:
    scope = state.scopes[number]
    scope.task = None
    waited(state, scope)
    if type(scope.composite) is Iterations:
        scope.composite.written += int(scope.composite.stage == "writing")
    else:
        state.histories[scope.history] += 1
    state.agenda.append(number)
    return scope


def submitted(state: State, scope: Scope) -> None:
    if scope.task is not None:
        scope.task.submitted = True
        count(state, scope, int(scope.composite is None))


def beat(state: State, scope: Scope, at: float) -> None:
    task = scope.task
    if task is not None and task.heartbeat is not None:
        task.beat = at + task.heartbeat
        heappush(state.moments, (task.beat, scope.id))


def sleep(state: State, scope: Scope, until: float, phase: Phase) -> None:
    scope.phase, scope.due = phase, until
    heappush(state.moments, (until, scope.id))


def started(state: State, scope: Scope, at: float) -> None:
    """A task that remote workers lease begins with its first lease, and so do its signs of life; a history tells of
    that one alone."""
    task = scope.task
    if task is None:
        return
    task.started = True
    if task.pattern == "activity":
        count(state, scope, int(task.interruptions == 0))
        beat(state, scope, at)


def postpone(state: State, scope: Scope, event: e.TaskPostponed, at: float) -> None:
    task = scope.task
    if task is None:
        return
    task.postponed, task.paid = event.until, event.paid
    heappush(state.moments, (event.until, scope.id))
    if task.deadline is not None:
        task.deadline += max(0.0, event.until - at)
        task.scheduled += max(0.0, event.until - at)
        heappush(state.moments, (task.deadline, scope.id))
