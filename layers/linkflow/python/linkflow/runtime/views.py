"""What views of all kinds are made of: moments and errors, as every door writes them. Times are RFC 3339 in UTC."""

from typing import overload

from linkflow.execution.state import Failure
from linkflow.execution.surroundings import moment_text
from linkflow.runtime.routes import Schema


class ErrorView(Schema):
    code: str | None
    message: str | None


class FailureView(ErrorView):
    """Why an execution failed: `node` did, inside the containers of `path`."""

    node: str | None = None
    path: str = ""


@overload
def time_view(moment: float) -> str: ...
@overload
def time_view(moment: None) -> None: ...
def time_view(moment: float | None) -> str | None:
    return None if moment is None else moment_text(moment)


def error_view(code: str | None, message: str | None) -> ErrorView | None:
    return None if code is None and message is None else ErrorView(code=code, message=message)


def failure_view(failure: Failure | None) -> FailureView | None:
    if failure is None:
        return None
    return FailureView(code=failure.error, message=failure.cause, node=failure.node or None, path=failure.path)
