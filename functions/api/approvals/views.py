"""Approvals as callers see them."""

from functions.api.approvals.schemas import ApprovalView, DecisionView
from linkflow.runtime.views import time_view
from linkflow.stores.approvals import Approval


def approval_view(approval: Approval, now: float) -> ApprovalView:
    return ApprovalView(
        id=approval.id,
        status=approval.as_of(now),
        execution=approval.execution,
        workflow=approval.workflow,
        node=approval.node,
        title=approval.title,
        message=approval.message,
        assignees=list(approval.assignees),
        required=approval.required,
        allow_self=approval.allow_self,
        form=approval.form,
        created_at=time_view(approval.created_at),
        expires_at=time_view(approval.expires_at),
        decisions=[
            DecisionView(by=one.by, decision=one.decision, comment=one.comment, data=one.data, at=time_view(one.at))
            for one in approval.decisions
        ],
    )
