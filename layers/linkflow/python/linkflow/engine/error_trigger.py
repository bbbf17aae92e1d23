"""A workflow that starts when another one fails: its settings name it (`error_workflow`).

The handler's id follows from that of the execution that failed, so there is one for each, however often it is told.
What an error workflow itself fails with, or one that it called, starts nothing: it would never end. What it started
without waiting may fail, and be told of; so how many followed from one another is counted, and at some length the last
may start nothing any more (`children.DEEPEST`).
"""

import logging

from linkflow import ids
from linkflow.engine.engine import Engine
from linkflow.engine.start import Start, start
from linkflow.errors import Conflict, NotFound
from linkflow.execution.failures import TIMEOUT
from linkflow.execution.state import State
from linkflow.execution.surroundings import moment_text
from linkflow.execution.timeline import Entry, timeline
from linkflow.language.json import Json
from linkflow.language.program import Program
from linkflow.nodes.error import ErrorTrigger
from linkflow.stores.records import Workflow

_log = logging.getLogger(__name__)
_FAILED = frozenset({"failed", "timed_out"})


def wants(program: Program, state: State) -> bool:
    """Whether there is a workflow to start. A part of a wide Map fails within the execution that it is a part of."""
    handled = program.error_workflow is not None and state.trigger != ErrorTrigger.type
    return handled and state.status in _FAILED and state.part is None


async def start_handler(engine: Engine, workspace: str, execution: str, state: State) -> None:
    program = await engine.programs.get(workspace, state.names.workflow_id, state.version, state.program)
    if await _is_handling(engine, workspace, state):
        return
    try:
        workflow = await engine.workflows.named(workspace, program.error_workflow or "")
    except (NotFound, Conflict) as error:
        _log.warning("no_error_workflow", extra={"workspace": workspace, "execution": execution, "why": error.message})
        return
    given = _told(execution, state, await _failed_node(engine, workspace, execution))
    handler, node = ids.derived(ids.EXECUTION, execution, "error"), await _trigger(engine, workflow)
    request = Start(workflow, given, ErrorTrigger.type, node, execution=handler, errors=state.errors + 1)
    await start(engine, request)


async def _is_handling(engine: Engine, workspace: str, state: State) -> bool:
    """Whether it works for an error workflow, however deep."""
    while state.parent is not None:
        book = await engine.books.load(workspace, state.parent.execution)
        if book is None:
            return False
        state = book.state
    return state.trigger == ErrorTrigger.type


async def _trigger(engine: Engine, workflow: Workflow) -> str | None:
    """Its error trigger; one that has none starts as it would by hand."""
    program = await engine.programs.numbered(workflow.workspace, workflow.id, workflow.version)
    return next(iter(program.triggers.get(ErrorTrigger.type, ())), program.manual_start)


async def _failed_node(engine: Engine, workspace: str, execution: str) -> Entry | None:
    """The innermost node with which it came to its end."""
    turns = await engine.books.whole(workspace, execution)
    _, entries = timeline((one.turn.at, one.turn.events) for one in turns)
    failed = [entry for entry in entries if entry.status == "failed"]
    return max(failed, key=lambda entry: (entry.exited_at or 0.0, entry.entered_at), default=None)


def _told(execution: str, state: State, node: Entry | None) -> Json:
    failure, names = state.failure, state.names
    error = failure.error if failure else TIMEOUT
    cause = failure.cause if failure else "The execution took longer than its workflow allows."
    return {
        "execution": {
            "id": execution,
            "name": names.execution,
            "status": state.status,
            "trigger": state.trigger,
            "started_at": moment_text(state.started_at),
            "closed_at": moment_text(state.closed_at or state.started_at),
            "input": state.input,
        },
        "workflow": {"id": names.workflow_id, "name": names.workflow, "version": state.version},
        "error": {"code": error, "message": cause},
        "node": None if node is None else {"id": node.node, "path": node.path, "input": node.input},
    }
