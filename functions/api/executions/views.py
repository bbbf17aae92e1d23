"""States and books as callers see them."""

from collections.abc import Sequence
from typing import overload

import msgspec

from functions.api.executions.schemas import (
    AttemptView,
    ErrorView,
    EventView,
    ExecutionDetail,
    ExecutionView,
    HistoryEventView,
    HistoryView,
    NodeView,
    SummaryView,
)
from linkflow.execution.history import HistoryEvent
from linkflow.execution.state import State
from linkflow.execution.surroundings import moment_text
from linkflow.execution.timeline import Attempt, Entry
from linkflow.stores.books import Numbered
from linkflow.stores.records import Summary


@overload
def _time(moment: float) -> str: ...
@overload
def _time(moment: None) -> None: ...
def _time(moment: float | None) -> str | None:
    return None if moment is None else moment_text(moment)


def _error(code: str | None, message: str | None) -> ErrorView | None:
    return None if code is None and message is None else ErrorView(code=code, message=message)


def summary_view(summary: Summary) -> SummaryView:
    return SummaryView(
        id=summary.execution,
        workflow=summary.workflow,
        version=summary.version,
        status=summary.status,
        trigger=summary.trigger,
        name=summary.name,
        started_at=_time(summary.started_at),
        closed_at=_time(summary.closed_at),
        error=summary.error,
    )


def execution_view(state: State) -> ExecutionView:
    failure = state.failure
    return ExecutionView(
        id=state.names.execution_id,
        workflow=state.names.workflow_id,
        version=state.version,
        status=state.status,
        trigger=state.trigger,
        started_at=_time(state.started_at),
        closed_at=_time(state.closed_at),
        input=state.input,
        output=state.output,
        error=_error(failure.error, failure.cause) if failure else None,
    )


def execution_detail(state: State, entries: Sequence[Entry]) -> ExecutionDetail:
    view = execution_view(state)
    return ExecutionDetail(**dict(view), nodes=[_node_view(entry) for entry in entries])


def _node_view(entry: Entry) -> NodeView:
    return NodeView(
        node=entry.node,
        path=entry.path,
        status=entry.status,
        entered_at=_time(entry.entered_at),
        exited_at=_time(entry.exited_at),
        waits_until=_time(entry.waits_until),
        input=entry.input,
        output=entry.output,
        exit=entry.exit,
        error=_error(entry.error, entry.message),
        attempts=[_attempt_view(attempt) for attempt in entry.attempts],
    )


def _attempt_view(attempt: Attempt) -> AttemptView:
    return AttemptView(
        attempt=attempt.number,
        started_at=_time(attempt.started),
        finished_at=_time(attempt.finished),
        error=_error(attempt.error, attempt.message),
    )


def history_view(found: Sequence[HistoryEvent]) -> HistoryView:
    return HistoryView(
        data=[
            HistoryEventView(
                id=one.id,
                previous_event_id=one.previous,
                type=one.type,
                timestamp=_time(one.timestamp),
                details=dict(one.details),
            )
            for one in found
        ]
    )


def event_views(numbered: Numbered) -> list[EventView]:
    views = []
    for event in numbered.turn.events:
        data = msgspec.to_builtins(event)
        kind = data.pop("e")
        views.append(EventView(turn=numbered.number, at=_time(numbered.turn.at), type=kind, data=data))
    return views
