"""`advance`: news in, events out, walked to a fixed point: the whole of a turn but for its being written down.

Only where very much follows at once (a Map of Maps of pure states) it stops before, and the rest is decided in the next
turn (`unfinished`): so no turn keeps others from the process for long, or is too large to be written.

`accepts` is the one gate: late, early and repeated news is dropped there, so that delivering anything twice changes
nothing. Moments that have come are found here too: a timer is a fact of the state, and whoever wakes the execution (a
timer message, the watchdog, a signal) only makes it look at the clock.
"""

from collections.abc import Callable, Iterable, Iterator

from linkflow.execution import events as e
from linkflow.execution import mailbox, parts, wishes
from linkflow.execution.commands import RunTask
from linkflow.execution.decide import decide
from linkflow.execution.entries import entry_of
from linkflow.execution.evolve import EXECUTION_DEADLINE, evolve
from linkflow.execution.failures import HEARTBEAT_TIMEOUT, INTERRUPTED, RUNTIME, TIMEOUT
from linkflow.execution.limits import limited
from linkflow.execution.state import Iterations, OpenTask, Scope, State
from linkflow.execution.tokens import task_token
from linkflow.language import program as p

PATIENCE = 3
"""How often a task may take its process down before it is recorded as failed."""

MOST_EVENTS = 5_000
"""Events after which a turn decides nothing more."""

MOST_ENTRIES = 12_500
"""States that one scope may enter without waiting for anything: as many as Step Functions' 25,000 events allow to a
whole execution. More is a loop without an end."""

RUN_AWAY = "The execution reached the maximum number of history events (25000)."


def accepts(state: State, news: e.News) -> bool:
    """Whether `news` still means something to this execution."""
    if state.closed:
        return False
    match news:
        case e.TaskSucceeded() | e.TaskFailed() | e.TaskTimedOut() | e.TaskHeartbeat():
            return expects(state, news.scope, news.task)
        case e.TaskSubmitted():
            task = state.scopes[news.scope].task if expects(state, news.scope, news.task) else None
            return task is not None and not task.submitted
        case e.TaskStarted():
            task = state.scopes[news.scope].task if expects(state, news.scope, news.task) else None
            return task is not None and not task.started
        case e.LeaseLapsed():
            task = state.scopes[news.scope].task if expects(state, news.scope, news.task) else None
            return task is not None and task.interruptions < news.lease
        case e.TaskPostponed():
            task = state.scopes[news.scope].task if expects(state, news.scope, news.task) else None
            return task is not None and task.postponed is None
        case e.HandedOver():
            return state.held_until is not None
        case e.CancelRequested() | e.ExecutionTerminated() | e.PauseRequested() | e.ResumeRequested():
            return wishes.accepts(state, news)
        case e.SignalReceived():
            return mailbox.is_new(state, news)
        case e.VisitResumed():
            return any(scope.task is not None and scope.task.task in news.tasks for scope in state.scopes.values())


def expects(state: State, scope: int, task: int) -> bool:
    """Whether the outcome of this task is still awaited."""
    found = state.scopes.get(scope)
    return found is not None and found.task is not None and found.task.task == task


def admit(program: p.Program, state: State, news: e.News, now: float) -> e.News | None:
    """Copy `news` into the state if it still means something: as it goes into the book, or None."""
    if not accepts(state, news):
        return None
    admitted = limited(program, state, news)
    evolve(state, admitted, now)
    return admitted


def advance(
    program: p.Program,
    state: State,
    news: Iterable[e.News],
    now: float,
    *,
    more: bool = False,
    tired: Callable[[], bool] = bool,
) -> list[e.Event]:
    """Everything that follows from `news` at the moment `now`; `state` is carried along. Never raises. `more`: there is
    more to tell that happened before the execution was cancelled, so that nothing follows from that yet. When it is
    `tired`, which it is asked between scopes, the rest is left to another call (`unfinished`)."""
    admitted = (admit(program, state, told, now) for told in news)
    events: list[e.Event] = [event for event in admitted if event is not None]
    resumed = any(type(event) is e.VisitResumed for event in events)
    if state.cancel is not None and not more and wishes.waits_for_the_rest(program, state):
        _walk(program, state, now, events, tired)
    for event in _consequences(program, state, now, resumed=resumed, more=more):
        evolve(state, event, now)
        events.append(event)
    _walk(program, state, now, events, tired)
    return events


def _walk(
    program: p.Program, state: State, now: float, events: list[e.Event], tired: Callable[[], bool] = bool
) -> None:
    """To the point where nothing follows any more, or enough has; `events` gets what did."""
    while True:
        if state.moments:
            for event in _moments(state, now):
                evolve(state, event, now)
                events.append(event)
        if not unfinished(state) or len(events) >= MOST_EVENTS:
            return
        agenda, state.agenda = state.agenda, []
        for position, number in enumerate(agenda):
            if len(events) >= MOST_EVENTS or tired():
                state.agenda = agenda[position:] + state.agenda
                return
            for event in decide(program, state, number, now):
                evolve(state, event, now)
                events.append(event)
                if event.__class__ is e.StateEntered and state.scopes[number].entries > MOST_ENTRIES:
                    events.append(_ran_away(state))
                    evolve(state, events[-1], now)


def unfinished(state: State) -> bool:
    """Whether there is more to decide at once."""
    return bool(state.agenda) and state.paused is None and state.status == "running"


def _ran_away(state: State) -> e.Event:
    return e.ExecutionFailed(RUNTIME, RUN_AWAY) if state.clean_up is None else e.ExecutionCancelled(state.cancel or "")


def begin(program: p.Program, started: e.ExecutionStarted, now: float) -> tuple[State, list[e.Event]]:
    """A new execution's state, and its first events."""
    state = State()
    evolve(state, started, now)
    return state, [started, *advance(program, state, (), now)]


def _consequences(program: p.Program, state: State, now: float, *, resumed: bool, more: bool) -> Iterator[e.Event]:
    """What follows without any scope deciding: the wish to cancel, and (when a visit has just died) tasks that kill
    their visits."""
    if state.closed:
        return
    if state.cancel is not None and state.clean_up is None and not more:
        yield from wishes.cancelled(program, state, now)
        return
    for scope in list(state.scopes.values()) if resumed else ():
        if _is_given_up(program, scope):
            yield _interrupted(scope)


def _moments(state: State, now: float) -> Iterator[e.Event]:
    """What has come: the execution's deadline, the ends of waits and pauses, tasks' deadlines."""
    while (following := next_moment(state)) is not None and following <= now:
        moment, number = state.moments[0]
        if state.clean_up is not None and number < 0:
            yield e.ExecutionCancelled(state.cancel or "")
            return
        if number == EXECUTION_DEADLINE or state.paused is not None:
            yield e.ExecutionTimedOut()
            return
        scope = state.scopes[number]
        if scope.phase == "receive":
            # What came in time is not missed because nobody looked in time.
            yield mailbox.chosen(state, scope) or e.SignalMissed(number)
        else:
            waited = scope.due == moment or (scope.task is not None and scope.task.postponed == moment)
            yield e.MomentReached(number) if waited else _timed_out(scope, moment)


def _is_given_up(program: p.Program, scope: Scope) -> bool:
    task = scope.task
    if task is None or task.interruptions == 0:
        return False
    if parts.is_part(scope):
        return task.interruptions >= PATIENCE
    box = _box(program, scope)
    return task.interruptions >= PATIENCE or (task.started and isinstance(box, p.Task) and box.at_most_once)


def _box(program: p.Program, scope: Scope) -> p.Task | p.Map:
    box = program.machines[scope.machine].states[scope.state]
    assert isinstance(box, p.Task | p.Map)  # noqa: S101 (only these schedule)
    return box


def _resource(box: p.Task | p.Map, scope: Scope) -> str:
    """What the scope's task is to be done by: a Map has its items read, and its results written."""
    if isinstance(box, p.Task):
        return box.resource
    work = scope.composite
    reading = isinstance(work, Iterations) and work.stage == "reading"
    source = box.reader if reading else box.writer
    assert source is not None and source.resource is not None  # noqa: S101, PT018 (only such a Map schedules)
    return source.resource


def _interrupted(scope: Scope) -> e.TaskFailed:
    task = scope.task
    assert task is not None  # noqa: S101 (by `_is_given_up`)
    times = "once" if task.interruptions == 1 else f"{task.interruptions} times"
    cause = f"The process that ran this task ended {times} before the task did."
    return e.TaskFailed(scope.id, task.task, INTERRUPTED, cause)


def _timed_out(scope: Scope, moment: float) -> e.TaskTimedOut:
    task = scope.task
    assert task is not None  # noqa: S101 (the moment is not outdated, so it is the task's deadline)
    return e.TaskTimedOut(scope.id, task.task, TIMEOUT if task.deadline == moment else HEARTBEAT_TIMEOUT)


# ---------------------------------------------------------------- what the state owes and awaits


def owed(program: p.Program, state: State, known: Iterable[RunTask] = ()) -> list[RunTask]:
    """Every task that somebody must carry out. One whose request was made (it ends later) is owed no more, one that was
    postponed not yet. `known` are those that were owed before in the same state: as long as nothing was said of them
    they are not described again, since a Map may owe thousands when one more ends."""
    told, tasks = {one.task: one for one in known}, []
    for scope in state.scopes.values():
        task = scope.task
        if task is None or task.submitted or task.postponed is not None:
            continue
        before = told.get(task.task)
        tasks.append(before if before is not None and _holds_still(before, task) else run_task(program, state, scope))
    return tasks


def _holds_still(told: RunTask, task: OpenTask) -> bool:
    return (told.started, told.deadline, told.paid) == (task.started, task.deadline, task.paid)


def run_task(program: p.Program, state: State, scope: Scope) -> RunTask:
    task = scope.task
    assert task is not None  # noqa: S101 (asked only for scopes with a task)
    if parts.is_part(scope):
        given, key = parts.arguments(state, scope), _key(state, scope)
        return RunTask(scope.id, task.task, task.attempt, "", parts.RESOURCE, given, key, pattern=task.pattern)
    box = _box(program, scope)
    return RunTask(
        scope=scope.id,
        task=task.task,
        attempt=task.attempt,
        node=scope.state,
        resource=_resource(box, scope),
        arguments=task.arguments,
        key=_key(state, scope),
        timeout=None if task.deadline is None else task.deadline - task.scheduled,
        deadline=task.deadline,
        heartbeat=task.heartbeat,
        at_most_once=isinstance(box, p.Task) and box.at_most_once,
        started=task.started,
        pattern=task.pattern,
        credentials=task.credentials,
        token=task_token(state, scope.id, task.task) if task.pattern != "request" else None,
        scheduled=task.scheduled,
        priority=state.priority,
        isolated=isinstance(box, p.Task) and box.isolated,
        paid=task.paid,
    )


def _key(state: State, scope: Scope) -> str:
    """The same for every attempt of this entry; a Map that writes makes one request after another."""
    key = f"{state.names.execution_id}-{entry_of(state, scope)}"
    work = scope.composite
    return f"{key}-{work.written}" if type(work) is Iterations and work.stage == "writing" else key


def next_moment(state: State) -> float | None:
    """When the execution must be looked at again, seconds since 1970; None when only news can move it."""
    if state.paused is not None:
        return state.deadline
    return state.moments[0][0] if state.moments else None
