"""Child executions: begun by a task, which ends with them.

    parent: task ──▶ begin ──▶ TaskSubmitted … waits … ◀── TaskSucceeded / TaskFailed ── report: the child closed

A child's id follows from its parent's and the task's number (or, if nobody waits, its
idempotency key), so beginning it twice is beginning it once. The child
tells its parent when it closes; should that be lost, the watchdog asks for it (`outcomes`). A parent that is over, or
whose task was given up, has the child cancelled (`end`); one that begins only then cancels itself (`turned_away`).
"""

import contextlib
from collections.abc import Sequence
from dataclasses import replace as replaced

import msgspec
from msgspec.structs import replace

from linkflow import ids
from linkflow.engine import chain
from linkflow.engine.cancel import cancel, terminate
from linkflow.engine.engine import Call, Engine
from linkflow.engine.news import tell
from linkflow.engine.origins import Origin
from linkflow.engine.start import Start, start
from linkflow.errors import Conflict, NotFound
from linkflow.execution.advance import expects
from linkflow.execution.commands import RunTask
from linkflow.execution.events import Names, Parent, Part, TaskFailed, TaskSucceeded
from linkflow.execution.failures import TASK_FAILED
from linkflow.execution.state import State
from linkflow.language.json import Json
from linkflow.language.json_text import compact
from linkflow.nodes.base import NodeFailed
from linkflow.stores.books import Book
from linkflow.stores.records import Workflow

DEEPEST = 25
"""Executions that may wait for one another in a row, and error workflows that may follow from one another; more is a
workflow that calls itself without an end."""
_STATUS = {
    "succeeded": "SUCCEEDED",
    "failed": "FAILED",
    "timed_out": "TIMED_OUT",
    "cancelled": "ABORTED",
    "terminated": "ABORTED",
}
_WORDS = {
    "failed": "failed",
    "timed_out": "timed out",
    "cancelled": "was cancelled",
    "terminated": "was terminated",
}
_ENDED = {"timed_out": "States.Timeout", "cancelled": "LinkFlow.Cancelled", "terminated": "LinkFlow.Terminated"}

Outcome = TaskSucceeded | TaskFailed


def child_id(execution: str, task: int) -> str:
    return ids.derived(ids.EXECUTION, execution, str(task))


def id_of(execution: str, task: RunTask) -> str:
    """A task that ends with its request may run before it is in the book, so that its number says nothing yet."""
    return (
        ids.derived(ids.EXECUTION, execution, task.key) if task.pattern == "request" else child_id(execution, task.task)
    )


async def begin(
    engine: Engine,
    call: Call,
    name: str,
    given: Json,
    *,
    form: str | None,
    title: str | None,
    on_close: str = "cancel",
) -> str:
    """Start the workflow of this id or name; the child's id. `form` says how the result is wanted (`Parent`); None:
    nobody waits for it. `on_close`: what becomes of it when nobody waits any more. Raises `NodeFailed`."""
    workflow = await _named(engine, call.workspace, name)
    origin = await _origin(engine, call)
    above, errors = (0, 0) if origin is None else (origin.depth, origin.errors)
    _check_depth(above, errors, waits=form is not None)
    task = call.task
    child = id_of(call.execution, task)
    parent = None if form is None else Parent(call.execution, task.scope, task.task, form, above + 1, on_close)
    program = await engine.programs.numbered(workflow.workspace, workflow.id, workflow.version)
    if program.callers is not None and (origin is None or not _may_call(program.callers, origin.names)):
        told = f"'{workflow.name}' does not let this workflow start it: name it in the settings' 'callers' there."
        raise NodeFailed("LinkFlow.CallerRefused", told, retryable=False)
    await start(
        engine,
        Start(workflow, given, "called", program.manual_start, title, execution=child, parent=parent, errors=errors),
    )
    return child


def _check_depth(above: int, errors: int, *, waits: bool) -> None:
    """Raises `NodeFailed` where executions follow from one another without an end. (Of those that an error workflow
    waits for no error starts anything.)"""
    if above >= DEEPEST:
        told = f"{DEEPEST} executions wait for one another already; does a workflow call itself?"
        raise NodeFailed("LinkFlow.TooDeep", told)
    if errors >= DEEPEST and not waits:
        told = (
            f"{DEEPEST} error workflows followed from one another already; does one start the workflow whose errors it "
            "is for?"
        )
        raise NodeFailed("LinkFlow.TooDeep", told, retryable=False)


def _may_call(callers: tuple[str, ...], names: Names) -> bool:
    return names.workflow_id in callers or names.workflow in callers


async def begin_part(engine: Engine, call: Call, items: list[Json], part: Part) -> str:
    """Start the execution that works on a part of a Map of this one, by the same version; its id."""
    origin, child = await _origin(engine, call), child_id(call.execution, call.task.task)
    if origin is None:
        raise NodeFailed("LinkFlow.Gone", "The execution that deals the Map is gone.", retryable=False)
    parent = Parent(call.execution, call.task.scope, call.task.task, depth=origin.depth + 1)
    workflow = await engine.workflows.get(call.workspace, origin.workflow)
    names = replace(origin.names, execution_id=child, execution=f"{origin.names.execution}/{part.first}")
    request = Start(workflow, items, "map", execution=child, parent=parent, names=names, part=part)
    await start(engine, replaced(request, version=origin.version, errors=origin.errors))
    return child


async def _origin(engine: Engine, call: Call) -> Origin | None:
    return await engine.origins.of(engine.books, engine.summaries, call.workspace, call.execution)


async def _named(engine: Engine, workspace: str, name: str) -> Workflow:
    try:
        return await engine.workflows.named(workspace, name)
    except (NotFound, Conflict) as error:
        raise NodeFailed("LinkFlow.UnknownWorkflow", error.message, retryable=False) from error


async def report(engine: Engine, workspace: str, state: State) -> None:
    """The execution is over: tell whoever waits for it."""
    if state.parent is not None:
        with contextlib.suppress(NotFound):
            await tell(engine, workspace, state.parent.execution, outcome(state, state.parent))


async def outcomes(engine: Engine, workspace: str, execution: str, state: State) -> list[Outcome]:
    """What children that are over have to say to this execution, in case it was never heard."""
    found: list[Outcome] = []
    for scope in state.scopes.values():
        if scope.task is not None and scope.task.submitted and scope.task.pattern == "sync":
            book = await chain.newest(engine, workspace, child_id(execution, scope.task.task))
            if book is not None and book.state.closed and book.state.parent is not None:
                found.append(outcome(book.state, book.state.parent))
    return found


async def end(engine: Engine, workspace: str, execution: str, tasks: Sequence[int]) -> None:
    """Nobody waits any more for the children of these tasks: cancel or terminate those that do not go on alone."""
    for task in tasks:
        book = await chain.newest(engine, workspace, child_id(execution, task))
        parent = None if book is None else book.state.parent
        if book is not None and parent is not None and parent.on_close != "detach":
            await _end(engine, workspace, book.execution, parent)


async def turned_away(engine: Engine, child: Book, parent: Parent) -> bool:
    """Whether an execution that has done nothing yet is for nobody: a process that was frozen began it when its parent
    had given the task up already, and had ended what there was to end. Then it is ended here. A parent that gives the
    task up from now on finds it."""
    if child.number > 0 or child.state.closed or parent.on_close == "detach":
        return False
    book = await engine.books.load(child.workspace, parent.execution)
    if book is not None and not book.state.closed and expects(book.state, parent.scope, parent.task):
        return False
    await _end(engine, child.workspace, child.execution, parent)
    return True


async def _end(engine: Engine, workspace: str, child: str, parent: Parent) -> None:
    verb = terminate if parent.on_close == "terminate" else cancel
    with contextlib.suppress(NotFound, Conflict):
        await verb(engine, workspace, child, parent.execution, "Nobody waits for it any more.")


def outcome(state: State, parent: Parent) -> Outcome:
    """How a closed execution ends its parent's task."""
    if state.status == "succeeded":
        return TaskSucceeded(parent.scope, parent.task, _result(state, parent.form), state.started_at, _closed(state))
    error, cause = TASK_FAILED, compact(described(state, parent.form))
    if parent.form == "output":
        error = _ENDED.get(state.status) or (state.failure and state.failure.error) or TASK_FAILED
        said = f": {state.failure.cause}" if state.failure and state.failure.cause else "."
        cause = f"The execution {state.names.execution_id} of '{state.names.workflow}' {_WORDS[state.status]}{said}"
    return TaskFailed(parent.scope, parent.task, error, cause, state.started_at, _closed(state))


def _closed(state: State) -> float:
    return state.closed_at or state.started_at


def _result(state: State, form: str) -> Json:
    return state.output if form == "output" else described(state, form)


def described(state: State, form: str) -> dict[str, Json]:
    """The execution as Step Functions describes it (API reference, `DescribeExecution`); times in milliseconds."""
    names = state.names
    told: dict[str, Json] = {
        "ExecutionArn": names.execution_id,
        "Input": _as(form, state.input),
        "InputDetails": {"Included": True},
        "Name": names.execution,
        "StartDate": int(state.started_at * 1000),
        "StateMachineArn": names.workflow_id,
        "Status": _STATUS.get(state.status, "RUNNING"),
        "StopDate": int(_closed(state) * 1000),
    }
    if state.status == "succeeded":
        return {**told, "Output": _as(form, state.output), "OutputDetails": {"Included": True}}
    if state.failure is not None:
        told |= {"Error": state.failure.error, "Cause": state.failure.cause}
    return told


def _as(form: str, value: Json) -> Json:
    return value if form == "json" else msgspec.json.encode(value).decode()
