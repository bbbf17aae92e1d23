"""Approvals: a task asks people, and ends as soon as what they said decides it.

The vote that decides is written into the approval first and into the book right after; should the process die between
both, whoever looks at the approval next (another vote, the same one again, the watchdog) tells the book. A task that is
over otherwise (it expired, the execution ended) takes its approval with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from linkflow import ids
from linkflow.engine.callbacks import end
from linkflow.engine.engine import Call, Engine, Told
from linkflow.engine.notices import notify
from linkflow.engine.waits import asked
from linkflow.errors import Conflict, Invalid, NotAsked, NotFound
from linkflow.execution.advance import expects
from linkflow.execution.events import TaskSubmitted, TaskSucceeded
from linkflow.execution.state import State
from linkflow.execution.surroundings import moment_text
from linkflow.language.json import Json
from linkflow.language.schemas import schema_faults, value_faults
from linkflow.language.view import EvaluationFailed
from linkflow.nodes.base import NodeFailed
from linkflow.stores.approvals import Approval, ApprovalStatus, Decision, Found, Verdict

ENDED: Final[Mapping[ApprovalStatus, str]] = {
    "approved": "It has been approved already.",
    "rejected": "It has been rejected already.",
    "expired": "The time to decide is over.",
    "withdrawn": "It need not be decided any more: the execution went on or ended.",
}


class Question(msgspec.Struct, frozen=True):
    """The task's arguments. `notify` holds the calls to be made."""

    title: str
    message: str = ""
    assignees: tuple[str, ...] = ()
    required: int = 1
    allow_self: bool = False
    form: dict[str, Any] | None = None
    expires_in: float | None = None
    notify: list[Json] = []


@dataclass(frozen=True, slots=True)
class Vote:
    """`linked`: the link said who it is, so it is one of those who were asked."""

    by: str
    decision: Verdict
    comment: str = ""
    data: Json = None
    linked: bool = False


def approval_id(execution: str, task: int) -> str:
    return ids.derived(ids.APPROVAL, execution, str(task))


async def ask(engine: Engine, call: Call) -> Told:
    question, task = _question(call), call.task
    book = await engine.books.load(call.workspace, call.execution)
    approval = Approval(
        call.workspace,
        approval_id(call.execution, task.task),
        call.execution,
        "" if book is None else book.state.names.workflow_id,
        task.node,
        task.scope,
        task.task,
        question.title,
        engine.clock.now(),
        question.message,
        question.assignees,
        question.required,
        question.allow_self,
        "" if book is None else book.state.started_by,
        question.form,
        task.deadline,
    )
    standing = await engine.approvals.open(approval)
    if standing.decided:
        return _outcome(standing)
    try:
        await notify(engine, call, question.notify)
    except (NodeFailed, EvaluationFailed):
        await withdraw(engine, call.workspace, call.execution, [task.task])
        raise
    return TaskSubmitted(task.scope, task.task, {"approval": approval.id})


def _question(call: Call) -> Question:
    question: Question = asked(call, Question)
    faults = list(schema_faults(question.form)) if question.form is not None else []
    if faults:
        raise NodeFailed("LinkFlow.BadConfig", f"The form is no JSON Schema: {faults[0].message}", retryable=False)
    people = len(question.assignees)
    if question.required < 1 or (people and question.required > people):
        told = f"{question.required} approvals cannot be had from {people} people."
        raise NodeFailed("LinkFlow.BadConfig", told, retryable=False)
    return question


async def look(engine: Engine, workspace: str, identifier: str) -> Approval:
    """The approval; one whose decision the execution may not have heard tells it. Raises `NotFound`."""
    approval = (await engine.approvals.find(workspace, identifier)).approval
    if approval.decided:
        await _tell(engine, approval)
    return approval


async def decide(engine: Engine, workspace: str, identifier: str, vote: Vote) -> Approval:
    """The approval with this vote. Raises `NotFound`, `NotAsked`, `Invalid` for data that does not fit the form, and
    `Conflict` for who decided before or too late."""
    while True:
        found = await engine.approvals.find(workspace, identifier)
        approval, now = found.approval, engine.clock.now()
        await _check_open(engine, found, now)
        _check_person(approval, vote)
        _check_data(approval, vote)
        decision = Decision(vote.by, vote.decision, now, vote.comment, vote.data)
        voted = _counted(replace(approval, decisions=(*approval.decisions, decision)))
        if await engine.approvals.replace(found, voted):
            if voted.decided:
                await _tell(engine, voted)
            return voted


async def _check_open(engine: Engine, found: Found, now: float) -> None:
    approval = found.approval
    if approval.decided:
        await _tell(engine, approval)
    status: ApprovalStatus = approval.as_of(now)
    if status == "pending" and not await _is_expected(engine, approval):
        status = "withdrawn"
    if status != "pending":
        if status != approval.status:
            await engine.approvals.replace(found, replace(approval, status=status))
        raise Conflict(ENDED[status])


async def _is_expected(engine: Engine, approval: Approval) -> bool:
    book = await engine.books.load(approval.workspace, approval.execution)
    return book is not None and not book.state.closed and expects(book.state, approval.scope, approval.task)


def _check_person(approval: Approval, vote: Vote) -> None:
    if approval.assignees and not vote.linked and vote.by not in approval.assignees:
        raise NotAsked("Others are asked to decide this; only they can.")
    if vote.by == approval.started_by and vote.by and not approval.allow_self:
        raise NotAsked("You started this execution, so somebody else has to decide.")
    if any(decision.by == vote.by for decision in approval.decisions):
        raise Conflict("You have decided already; each person counts once.")


def _check_data(approval: Approval, vote: Vote) -> None:
    if approval.form is not None and vote.decision == "approved":
        faults = list(value_faults(approval.form, vote.data, "$.data"))
        if faults:
            raise Invalid("The form", faults)


def _counted(approval: Approval) -> Approval:
    """Rejected as soon as too few are left to approve; where anybody may decide, by the first who rejects."""
    approvals = sum(1 for one in approval.decisions if one.decision == "approved")
    rejections = len(approval.decisions) - approvals
    people = len(approval.assignees) or approval.required
    if approvals >= approval.required:
        return replace(approval, status="approved")
    if people - rejections < approval.required:
        return replace(approval, status="rejected")
    return approval


async def _tell(engine: Engine, approval: Approval) -> None:
    await end(engine, approval.workspace, approval.execution, _outcome(approval))


def _outcome(approval: Approval) -> TaskSucceeded:
    decisions: list[Json] = [
        {
            "by": one.by,
            "decision": one.decision,
            "comment": one.comment,
            "data": one.data,
            "at": moment_text(one.at),
        }
        for one in approval.decisions
    ]
    output = {"decision": approval.status, "decisions": decisions}
    at = approval.decisions[-1].at
    return TaskSucceeded(approval.scope, approval.task, output, approval.created_at, at, approval.status)


async def outcomes(engine: Engine, workspace: str, execution: str, state: State) -> list[TaskSucceeded]:
    """What was decided and the execution may never have heard."""
    found: list[TaskSucceeded] = []
    for scope in state.scopes.values():
        if scope.task is not None and scope.task.submitted and scope.task.pattern == "token":
            try:
                one = await engine.approvals.find(workspace, approval_id(execution, scope.task.task))
            except NotFound:
                continue
            if one.approval.decided:
                found.append(_outcome(one.approval))
    return found


async def withdraw(engine: Engine, workspace: str, execution: str, tasks: Sequence[int]) -> None:
    """These tasks wait no more: what was asked for them need not be decided."""
    now = engine.clock.now()
    for task in tasks:
        try:
            found = await engine.approvals.find(workspace, approval_id(execution, task))
        except NotFound:
            continue
        while found.approval.status == "pending":
            over = "withdrawn" if found.approval.as_of(now) == "pending" else "expired"
            if await engine.approvals.replace(found, replace(found.approval, status=over)):
                break
            found = await engine.approvals.find(workspace, found.approval.id)
