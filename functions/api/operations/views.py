"""Operations as callers see them."""

from functions.api.operations.schemas import OperationView, TroubleView
from linkflow.runtime.views import time_view
from linkflow.stores.operations import Operation


def operation_view(operation: Operation) -> OperationView:
    return OperationView(
        id=operation.id,
        action=operation.action,
        status=operation.status,
        stage=operation.stage,
        seen=operation.seen,
        done=operation.done,
        skipped=operation.skipped,
        failed=operation.failed,
        troubles=[TroubleView(execution=one.execution, message=one.message) for one in operation.troubles],
        by=operation.by,
        reason=operation.reason,
        created_at=time_view(operation.created_at),
        finished_at=time_view(operation.finished_at),
    )
