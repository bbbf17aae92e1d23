"""Operations as callers see them."""

from functions.api.operations.schemas import OperationView, TroubleView
from linkflow.execution.surroundings import moment_text
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
        created_at=moment_text(operation.created_at),
        finished_at=None if operation.finished_at is None else moment_text(operation.finished_at),
    )
