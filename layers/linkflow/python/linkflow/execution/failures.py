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

_TERMINAL = frozenset({RUNTIME, DATA_LIMIT})
"""Errors that `States.ALL` does not catch: the definition itself is at fault."""


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
