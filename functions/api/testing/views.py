"""What tests found, as callers see it."""

from functions.api.testing.schemas import NodeTested, Preview, PreviewFailed, PreviewFailure, StateTested
from functions.api.testing.service import NodeTest
from functions.api.testing.states import staged
from functions.api.workflows.schemas import FaultView
from linkflow.errors import Fault
from linkflow.execution.inspect import Inspection
from linkflow.language.json import Json
from linkflow.language.view import MISSING
from linkflow.runtime.views import ErrorView, time_view


def state_tested(found: Inspection, notes: list[str], level: str) -> StateTested:
    return StateTested(
        status=found.status,
        output=None if found.output is MISSING else found.output,
        error=found.error,
        cause=found.cause,
        next_state=found.next,
        inspection_data=None if level == "INFO" else staged(found.data),
        notes=notes,
    )


def node_tested(test: NodeTest) -> NodeTested:
    outcome, failure = test.outcome, test.failure
    return NodeTested(
        status="failed" if failure or test.faults else "succeeded" if outcome else "rendered",
        config=test.config,
        faults=[FaultView(path=one.path, code=one.code, message=one.message) for one in test.faults],
        output=outcome.output if outcome else None,
        exit=outcome.exit if outcome else None,
        until=time_view(test.until),
        response=outcome.response if outcome else None,
        error=ErrorView(code=failure.error, message=failure.cause) if failure else None,
        notes=list(test.notes),
    )


def previewed(value: Json, failure: Fault | None) -> Preview | PreviewFailed:
    if failure is None:
        return Preview(value=value)
    return PreviewFailed(error=PreviewFailure(code=failure.code, message=failure.message, path=failure.path))
