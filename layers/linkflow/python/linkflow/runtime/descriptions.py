"""Executions as every door shows them: what one is at, what its book holds. Times are RFC 3339 in UTC."""

from typing import Any

from pydantic import Field

from linkflow.engine.describe import Answer, Description, PendingTask
from linkflow.engine.histories import Pages
from linkflow.execution.history import HistoryEvent
from linkflow.execution.state import State
from linkflow.runtime.routes import Schema
from linkflow.runtime.views import ErrorView, FailureView, error_view, failure_view, time_view


class PendingTaskView(Schema):
    """A task without an outcome. `placement`: `here` (in the visit), `queue`, …, or `outside` once its request was
    made. `last_error` is that of the attempt before."""

    node: str
    task: int
    attempt: int
    since: str
    pattern: str
    placement: str
    started: bool
    deadline: str | None = None
    next_sign_of_life: str | None = None
    child: str | None = None
    last_error: ErrorView | None = None


class PendingTimerView(Schema):
    """`kind`: `wait`, `retry`, `start`, `deadline` or `clean_up`."""

    kind: str
    node: str = ""
    at: str


class PendingSignalView(Schema):
    """A node that waits to be told something of this name."""

    node: str
    name: str
    until: str | None = None


class PauseView(Schema):
    by: str
    reason: str
    since: str


class ResetOfView(Schema):
    """The execution whose book this one's begins with, up to event `index` of turn `turn`."""

    execution: str
    turn: int
    index: int


class Headline(Schema):
    """What every view of one execution begins with."""

    id: str
    workflow: str
    version: int
    status: str
    trigger: str
    started_at: str
    closed_at: str | None = None
    error: FailureView | None = None
    queued: str | None = None


class Standing(Schema):
    """Where it belongs, and what it waits for; `DescriptionView` says what the fields mean."""

    name: str = ""
    business_key: str = ""
    tags: list[str] = Field(default_factory=list)
    attributes: dict[str, str | float | bool] = Field(default_factory=dict)
    priority: int = 0
    reason: str | None = None
    paused: PauseView | None = None
    parent: str | None = None
    continued_from: str | None = None
    continued_as: str | None = None
    chain: str | None = None
    reset_of: ResetOfView | None = None
    reset_to: str | None = None
    tasks: list[PendingTaskView] = Field(default_factory=list)
    timers: list[PendingTimerView] = Field(default_factory=list)
    signals: list[PendingSignalView] = Field(default_factory=list)


class DescriptionView(Standing, Headline):
    """What an execution is at. `parent` is the execution whose task waits for this one. `continued_from`,
    `continued_as` and `chain` (the first) are the executions that go on in one another; `reset_of` and `reset_to` those
    that took one another up again. `queued` is the limit it waits for before it begins; `bytes` are what is read to go
    on."""

    turns: int
    bytes: int


class AnswerView(Schema):
    """The data of an execution: its variables, the outputs of its nodes, and which nodes run. When it is over, its
    output alone; what led there is in its events."""

    status: str
    input: Any = None
    output: Any = None
    variables: dict[str, Any]
    nodes: dict[str, Any]
    running: list[str]


class EventView(Schema):
    """One recorded fact. `turn` orders what was recorded together, `index` is its place there."""

    turn: int
    index: int
    at: str
    type: str
    data: dict[str, Any]


class EventPage(Schema):
    """`next_after` goes on behind the last turn shown, and stays usable while the execution is open; `next_before` goes
    on before the first one shown, and is null at the beginning of the book."""

    data: list[EventView]
    next_after: int
    next_before: int | None = None
    closed: bool


class HistoryEventView(Schema):
    """One event as Step Functions' GetExecutionHistory names it."""

    id: int
    previous_event_id: int
    type: str
    timestamp: str
    details: dict[str, Any]


class HistoryView(Schema):
    data: list[HistoryEventView]


def description_view(told: Description) -> DescriptionView:
    summary, state = told.summary, told.state
    return DescriptionView(
        id=summary.execution,
        workflow=summary.workflow,
        version=state.version,
        status=state.status,
        trigger=state.trigger,
        name=summary.name,
        business_key=summary.business_key,
        tags=list(summary.tags),
        attributes=dict(summary.attributes),
        priority=summary.priority,
        started_at=time_view(state.started_at),
        closed_at=time_view(state.closed_at),
        reason=state.cancel,
        error=failure_view(state.failure),
        paused=_pause_view(state),
        queued=None if state.closed else state.queued,
        parent=state.parent.execution if state.parent else None,
        continued_from=state.continued_from,
        continued_as=state.successor if state.status == "continued" else None,
        chain=state.chain,
        reset_of=_reset_view(state),
        reset_to=summary.reset_to or None,
        tasks=[_task_view(one) for one in told.tasks],
        timers=[PendingTimerView(kind=one.kind, node=one.node, at=time_view(one.at)) for one in told.timers],
        signals=[PendingSignalView(node=one.node, name=one.name, until=time_view(one.until)) for one in told.signals],
        turns=told.turns,
        bytes=told.bytes,
    )


def _pause_view(state: State) -> PauseView | None:
    paused = state.paused
    return None if paused is None else PauseView(by=paused.by, reason=paused.reason, since=time_view(paused.since))


def _reset_view(state: State) -> ResetOfView | None:
    of = state.reset_of
    return None if of is None else ResetOfView(execution=of.execution, turn=of.turn, index=of.index)


def _task_view(one: PendingTask) -> PendingTaskView:
    return PendingTaskView(
        node=one.node,
        task=one.task,
        attempt=one.attempt,
        since=time_view(one.since),
        pattern=one.pattern,
        placement=one.placement,
        started=one.started,
        deadline=time_view(one.deadline),
        next_sign_of_life=time_view(one.beat),
        child=one.child,
        last_error=None if one.failure is None else error_view(one.failure.error, one.failure.cause),
    )


def answer_view(answer: Answer) -> AnswerView:
    return AnswerView(
        status=answer.status,
        input=answer.input,
        output=answer.output,
        variables=dict(answer.variables),
        nodes=dict(answer.nodes),
        running=list(answer.running),
    )


def event_page(pages: Pages, after: int) -> EventPage:
    """`after` is where the page was to begin."""
    views = [
        EventView(turn=one.turn, index=one.index, at=time_view(one.at), type=one.type, data=dict(one.data))
        for one in pages.events
    ]
    last = after if pages.last is None else pages.last
    return EventPage(data=views, next_after=last, next_before=pages.first or None, closed=pages.closed)


def history_view(found: list[HistoryEvent]) -> HistoryView:
    return HistoryView(
        data=[
            HistoryEventView(
                id=one.id,
                previous_event_id=one.previous,
                type=one.type,
                timestamp=time_view(one.timestamp),
                details=dict(one.details),
            )
            for one in found
        ]
    )
