"""`decide`: what follows from the state of one scope. It judges and touches nothing, and it never raises: an expression
that fails becomes a failed state, which Retry and Catch treat like any other.

One function per phase, one per kind of state; composites have a module of their own.
"""

from collections.abc import Iterable
from random import Random
from typing import assert_never

from msgspec import UNSET

from linkflow import ids
from linkflow.execution import composites, mailbox
from linkflow.execution import events as e
from linkflow.execution.failures import RUNTIME, TIMEOUT, matches, shown
from linkflow.execution.limits import LONGEST_CAUSE, checked
from linkflow.execution.state import Branches, Failure, Iterations, Phase, Scope, State
from linkflow.execution.surroundings import ScopeSurroundings
from linkflow.execution.wishes import catches_cancel, wind_down, winds_down
from linkflow.language import program as p
from linkflow.language.flow import Shaped
from linkflow.language.handlers import LONGEST_PAUSE
from linkflow.language.json import Json
from linkflow.language.view import EvaluationFailed, View
from linkflow.nodes.continue_as_new import CONTINUE_AS_NEW, ContinueAsNew

Events = Iterable[e.Event]
_COUNTS_RETRIES = frozenset({p.Task, p.Receive, p.Map, p.Parallel})
_AT_REST: frozenset[Phase] = frozenset({"delayed", "task", "wait", "backoff"})


def decide(program: p.Program, state: State, number: int, now: float) -> Events:
    """The events that follow for scope `number` at the moment `now`; none when it has nothing to decide any more."""
    scope = state.scopes.get(number)
    if scope is None:
        return ()
    phase = scope.phase
    if phase == "enter":
        return (_enter(program, state, scope),)
    if phase == "ended":
        return _end(state, scope)
    if phase == "finish" and state.part is not None and scope.parent is None:
        return (e.StateExited(number),)
    if phase == "receive":
        taken = mailbox.chosen(state, scope)
        return () if taken is None else (taken,)
    if phase in _AT_REST or (phase == "failed" and composites.is_doomed(state, scope)):
        return ()
    if phase == "composite" and state.clean_up is not None and winds_down(state, scope):
        return wind_down(state, scope)
    box = program.machines[scope.machine].states[scope.state]
    if phase == "composite" and isinstance(box, p.Graph):
        return composites.continue_graph(box, state, scope)
    view = View(scope.input, ScopeSurroundings(state, scope, now, retries=type(box) in _COUNTS_RETRIES))
    try:
        if phase == "run":
            return tuple(_run(program, box, state, scope, view))
        if phase == "composite":
            return tuple(_continue(box, state, scope, view))
        if phase == "finish":
            return _finish(program, box, scope, view)
        return _handle_failure(program, box, state, scope, view)
    except EvaluationFailed as failed:
        return _evaluation_failed(program, box, scope, failed)


def _enter(program: p.Program, state: State, scope: Scope) -> e.Event:
    if not scope.state and _is_dealt(state, scope):
        return e.TaskScheduled(scope.id, state.next_task, 1, pattern="sync")
    return e.StateEntered(scope.id, scope.next or program.machines[scope.machine].start_at)


def _is_dealt(state: State, scope: Scope) -> bool:
    """Whether the scope stands for a part of a wide Map."""
    around = state.scopes[scope.parent].composite if scope.parent is not None else None
    return type(around) is Iterations and around.dealt > 0


def _end(state: State, scope: Scope) -> Events:
    if state.clean_up is not None:
        return (e.ExecutionCancelled(state.cancel or ""),)
    if scope.failure is None:
        return (e.ExecutionSucceeded(),)
    return (e.ExecutionFailed(scope.failure.error, scope.failure.cause),)


def _run(program: p.Program, box: p.State, state: State, scope: Scope, view: View) -> Events:
    match box:
        case p.Node():
            return _evaluate(program, box, scope, view)
        case p.Task() if box.resource == CONTINUE_AS_NEW:
            return (_continue_as_new(box, state, scope, view),)
        case p.Task():
            return (_schedule(program, box, state, scope, view),)
        case p.Receive():
            return (_receive(program, box, scope, view),)
        case p.Pass() | p.Succeed():
            return _leave(program, box, scope, view, box.flow.arguments(box.flow.enter(view)))
        case p.Choice():
            return _choose(program, box, scope, view)
        case p.Wait():
            return (e.WaitStarted(scope.id, box.moment.until(box.flow.enter(view))),)
        case p.Fail():
            return _fail(box, scope, view)
        case p.Parallel():
            return composites.start_parallel(box, state, scope, view)
        case p.Map():
            return composites.start_map(box, scope, view)
        case p.Graph():
            return (e.GraphStarted(scope.id, len(box.nodes), repeats=box.again is not None),)
        case _:
            assert_never(box)


def _continue(box: p.State, state: State, scope: Scope, view: View) -> Events:
    match scope.composite:
        case Branches():
            return composites.continue_parallel(scope)
        case Iterations() if isinstance(box, p.Map):
            return composites.continue_map(box, state, scope, view)
        case _:
            return ()


def _finish(program: p.Program, box: p.State, scope: Scope, view: View) -> Events:
    """The result is there: a task's, a composite's, or nothing (a Wait, whose input goes on)."""
    result = scope.result if scope.result is not UNSET else box.flow.enter(view).input
    if program.dialect == "asl" and isinstance(box, p.Map | p.Parallel):
        checked(program, box, result)
    return _leave(program, box, scope, view, result)


def _leave(program: p.Program, box: p.State, scope: Scope, view: View, result: Json) -> Events:
    behind = view.after(result)
    shaped = box.flow.leave(behind, result)
    following = box.next
    if isinstance(box, p.Graph) and box.again is not None and box.again.holds(behind):
        following = box.name
    return (_exited(program, box, scope, shaped, following, scope.exit),)


def _exited(
    program: p.Program, box: p.State, scope: Scope, shaped: Shaped, following: str | None, exit_name: str = "default"
) -> e.StateExited:
    held = scope.input if scope.result is UNSET else scope.result
    output = UNSET if shaped.output is held else checked(program, box, shaped.output)
    assigned = checked(program, box, shaped.assigned) if shaped.assigned else {}
    return e.StateExited(scope.id, output, following, exit_name, assigned)


def _evaluate(program: p.Program, box: p.Node, scope: Scope, view: View) -> Events:
    outcome = box.evaluation(box.flow.arguments(view), view)
    exited = _exited(program, box, scope, Shaped(outcome.output), box.next, outcome.exit)
    if outcome.response is None:
        return (exited,)
    return (e.Responded(scope.id, checked(program, box, outcome.response)), exited)


def _choose(program: p.Program, box: p.Choice, scope: Scope, view: View) -> Events:
    inner = box.flow.enter(view)
    following, flow = box.default, box.flow
    for rule in box.rules:
        if rule.condition.holds(inner):
            following, flow = rule.next, rule.flow
            break
    if following is None:
        raise EvaluationFailed(
            RUNTIME, "Failed to transition out of the state. The state does not point to a next state."
        )
    shaped = flow.leave(view.after(inner.input), inner.input)
    return (_exited(program, box, scope, shaped, following),)


def _fail(box: p.Fail, scope: Scope, view: View) -> Events:
    inner = box.flow.enter(view)
    error = box.error.evaluate(inner) if box.error else None
    cause = box.cause.evaluate(inner) if box.cause else None
    return (e.ScopeFailed(scope.id, error, cause),)


def _schedule(program: p.Program, box: p.Task, state: State, scope: Scope, view: View) -> e.TaskScheduled:
    if box.pattern != "request":
        expires = view.around.now + (box.default_timeout or LONGEST_PAUSE)
        address = program.address if box.pattern == "token" else ""
        around = ScopeSurroundings(
            state, scope, view.around.now, token=state.next_task, address=address, expires=expires
        )
        view = View(view.input, around)
    inner = box.flow.enter(view)
    arguments = box.flow.arguments(inner)
    timeout = box.timeout.evaluate(inner) if box.timeout else box.default_timeout
    return e.TaskScheduled(
        scope.id,
        state.next_task,
        scope.attempt + 1,
        UNSET if arguments is scope.input else checked(program, box, arguments),
        None if timeout is None else view.around.now + timeout,
        box.heartbeat.evaluate(inner) if box.heartbeat else None,
        box.pattern,
        box.credentials.evaluate(inner) if box.credentials else None,
    )


def _continue_as_new(box: p.Task, state: State, scope: Scope, view: View) -> e.Event:
    """The successor's id follows from this one's, so that beginning it twice is beginning it once."""
    if state.part is not None:
        raise EvaluationFailed(RUNTIME, "An iteration of a distributed Map cannot end its execution.")
    if state.clean_up is not None:
        return e.ExecutionCancelled(state.cancel or "")
    node = ContinueAsNew.configured(box.flow.arguments(box.flow.enter(view)))
    successor = ids.derived(ids.EXECUTION, state.names.execution_id, "continued")
    return e.ExecutionContinued(scope.id, successor, node.input, node.version == "newest")


def _receive(program: p.Program, box: p.Receive, scope: Scope, view: View) -> e.SignalAwaited:
    inner = box.flow.enter(view)
    given = checked(program, box, box.flow.arguments(inner))
    timeout = box.timeout.evaluate(inner) if box.timeout else box.default_timeout
    return mailbox.awaited(scope, given, None if timeout is None else view.around.now + timeout)


def _handle_failure(program: p.Program, box: p.State, state: State, scope: Scope, view: View) -> Events:
    failure = scope.failure
    if failure is None:
        return ()
    if catches_cancel(state, scope):
        return _catch(program, box, scope, view, failure, named=True)
    return _retry(box, scope, view, failure) or _catch(program, box, scope, view, failure)


def _retry(box: p.State, scope: Scope, view: View, failure: Failure) -> Events:
    if not failure.retryable:
        return ()
    for position, retrier in enumerate(box.retry):
        if matches(retrier.errors, failure):
            failures = scope.retries.get(position, 0) + 1
            random = Random(view.around.seed()).random() if retrier.jitter else 0.0
            pause = retrier.pause(failures, random)
            if pause is None:
                return ()
            pause = max(pause, failure.retry_after or 0.0)
            return (e.RetryScheduled(scope.id, position, view.around.now + pause),)
    return ()


def _catch(
    program: p.Program, box: p.State, scope: Scope, view: View, failure: Failure, *, named: bool = False
) -> Events:
    """`named`: only by a rule that names the error."""
    for catcher in box.catch:
        if failure.error in catcher.errors or (not named and matches(catcher.errors, failure)):
            shaped = catcher.flow.caught(view, _error_output(failure))
            return (_exited(program, box, scope, shaped, catcher.next, catcher.exit),)
    return (e.ScopeFailed(scope.id, shown(failure.error), failure.cause),)


def _error_output(failure: Failure) -> dict[str, Json]:
    """What a Catch rule hands on. A timeout's cause is empty; what a task did not say is null (both recorded)."""
    error = shown(failure.error)
    return {"Error": error, "Cause": "" if failure.cause is None and error == TIMEOUT else failure.cause}


def _evaluation_failed(program: p.Program, box: p.State, scope: Scope, failed: EvaluationFailed) -> Events:
    """An expression failed. In a state that was already being given up, the scope fails with the new error."""
    cause = failed.cause
    if program.dialect == "asl":
        entered = f"'{box.name}' (entered at the event id #{scope.entered_id})"
        cause = f"An error occurred while executing the state {entered}. {cause}"
    cause = cause[:LONGEST_CAUSE]
    if scope.phase == "failed":
        told = scope.failure is not None and scope.failure.composite
        failure = e.StateFailed(scope.id, failed.error, cause, failed.location, told)
        return (failure, e.ScopeFailed(scope.id, failed.error, cause))
    composite = isinstance(box, p.Parallel | p.Map) and failed.error != RUNTIME
    aborted: list[e.Event] = []
    if scope.composite is not None:
        aborted.extend(e.ScopeAborted(child) for child in scope.composite.open.values())
    aborted.append(e.StateFailed(scope.id, failed.error, cause, failed.location, composite))
    return aborted
