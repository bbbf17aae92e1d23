"""Which errors a Retry or Catch rule means.

Source: Step Functions developer guide, "Handling errors in Step Functions workflows".
"""

from linkflow.execution.state import Failure

ALL = "States.ALL"
TASK_FAILED = "States.TaskFailed"
TIMEOUT = "States.Timeout"
HEARTBEAT_TIMEOUT = "States.HeartbeatTimeout"
RUNTIME = "States.Runtime"
DATA_LIMIT = "States.DataLimitExceeded"
INTERRUPTED = "LinkFlow.Interrupted"
CANCELLED = "LinkFlow.Cancelled"
"""What every open state of an execution fails with that is being cancelled."""

QUERY_EVALUATION = "States.QueryEvaluationError"
"""The error of JSONata expressions, the only one that has an event of its own in a history."""

TOLERANCE_EXCEEDED = "States.ExceedToleratedFailureThreshold"
ITEM_READER_FAILED = "States.ItemReaderFailed"
RESULT_WRITER_FAILED = "States.ResultWriterFailed"

_TERMINAL = frozenset({RUNTIME})
"""Errors that `States.ALL` does not catch: the definition itself is at fault. (The guide counts DataLimitExceeded among
them; in the recordings it is caught.)"""


def shown(error: str | None) -> str | None:
    """The name as the States Language shows it: a missed heartbeat is a timeout to all but the rules (recorded)."""
    return TIMEOUT if error == HEARTBEAT_TIMEOUT else error


def matches(names: tuple[str, ...], failure: Failure) -> bool:
    """`States.TaskFailed` means every error but a timeout, `States.ALL` every error but the terminal ones, and
    `States.Timeout` also a missed heartbeat."""
    error = failure.error
    if error in names:
        return True
    if ALL in names:
        return error not in _TERMINAL
    if TASK_FAILED in names:
        return error not in _TERMINAL and error not in (TIMEOUT, HEARTBEAT_TIMEOUT)
    return TIMEOUT in names and error == HEARTBEAT_TIMEOUT
