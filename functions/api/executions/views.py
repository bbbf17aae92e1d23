"""States and books as callers see them."""

from collections.abc import Sequence

from functions.api.executions.schemas import AttemptView, ExecutionDetail, ExecutionView, NodeView
from linkflow.engine.describe import Description
from linkflow.execution.state import State
from linkflow.execution.timeline import Attempt, Entry
from linkflow.runtime.descriptions import Standing, description_view
from linkflow.runtime.views import error_view, failure_view, time_view
from linkflow.runtime.wiring import World


def address(world: World, execution: str) -> str:
    return f"{world.settings.address}/api/v1/executions/{execution}"


def execution_view(state: State) -> ExecutionView:
    return ExecutionView(
        id=state.names.execution_id,
        workflow=state.names.workflow_id,
        version=state.version,
        status=state.status,
        trigger=state.trigger,
        started_at=time_view(state.started_at),
        closed_at=time_view(state.closed_at),
        input=state.input,
        output=state.output,
        error=failure_view(state.failure),
        queued=None if state.closed else state.queued,
    )


def execution_detail(told: Description, state: State, entries: Sequence[Entry], archived: bool) -> ExecutionDetail:
    about = dict(description_view(told))
    standing = {name: about[name] for name in Standing.model_fields}
    nodes = [_node_view(entry) for entry in entries]
    return ExecutionDetail(**dict(execution_view(state)), **standing, nodes=nodes, archived=archived)


def _node_view(entry: Entry) -> NodeView:
    return NodeView(
        node=entry.node,
        path=entry.path,
        status=entry.status,
        entered_at=time_view(entry.entered_at),
        exited_at=time_view(entry.exited_at),
        waits_until=time_view(entry.waits_until),
        input=entry.input,
        output=entry.output,
        exit=entry.exit,
        error=error_view(entry.error, entry.message),
        attempts=[_attempt_view(attempt) for attempt in entry.attempts],
    )


def _attempt_view(attempt: Attempt) -> AttemptView:
    return AttemptView(
        attempt=attempt.number,
        started_at=time_view(attempt.started),
        finished_at=time_view(attempt.finished),
        error=error_view(attempt.error, attempt.message),
    )
