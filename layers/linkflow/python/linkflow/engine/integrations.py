"""What a Task's `Resource` may name besides node types, and who carries it out.

Everything else that Step Functions can integrate needs a service that is not here; such a task fails with
`LinkFlow.UnknownResource`, which names the resource.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from linkflow.engine import approvals, buckets, children, waits
from linkflow.engine.engine import Call, Engine, Integration, Told
from linkflow.engine.platform.verbs import PLATFORM
from linkflow.execution import parts
from linkflow.execution.events import Part, TaskSubmitted, TaskSucceeded
from linkflow.language.asl.waits import APPROVAL, CALLBACK, EVENT
from linkflow.language.json import Json
from linkflow.nodes.base import RESOURCE, NodeFailed
from linkflow.nodes.sub_workflow import SubWorkflow


async def start_execution(engine: Engine, call: Call) -> Told:
    """`StartExecution` (Step Functions API). `StateMachineArn` is a workflow's id or name, or an ARN that ends
    with one; `Input` is JSON, or a text of it."""
    task, given = call.task, call.task.arguments
    if not isinstance(given, dict) or not isinstance(given.get("StateMachineArn"), str):
        raise NodeFailed("States.Runtime", "StateMachineArn must name the workflow to start.", retryable=False)
    form = None if task.pattern != "sync" else "json" if task.resource.endswith(":2") else "text"
    workflow = given["StateMachineArn"].rpartition(":")[2]
    child = await children.begin(engine, call, workflow, given.get("Input", {}), form=form, title=given.get("Name"))
    return _begun(engine, call, {"ExecutionArn": child, "StartDate": int(engine.clock.now() * 1000)})


async def sub_workflow(engine: Engine, call: Call) -> Told:
    node = SubWorkflow.configured(call.task.arguments)
    form = "output" if call.task.pattern == "sync" else None
    on_close = node.on_parent_close or "cancel"
    child = await children.begin(engine, call, node.workflow, node.input, form=form, title=node.name, on_close=on_close)
    return _begun(engine, call, {"execution": child})


async def part(engine: Engine, call: Call) -> Told:
    """A part of a wide Map."""
    given = call.task.arguments
    child = await children.begin_part(engine, call, given["items"], msgspec.convert(given["part"], Part))
    return _begun(engine, call, {"execution": child})


def _begun(engine: Engine, call: Call, answer: Json) -> Told:
    task = call.task
    if task.pattern == "request":
        return TaskSucceeded(task.scope, task.task, answer, engine.clock.now(), engine.clock.now())
    return TaskSubmitted(task.scope, task.task, answer)


_S3: Final[Mapping[str, Integration]] = {
    "getObject": buckets.get_object,
    "putObject": buckets.put_object,
    "listObjectsV2": buckets.list_objects,
}

INTEGRATIONS: Final[Mapping[str, Integration]] = {
    **{f"arn:aws:states:::s3:{verb}": does for verb, does in _S3.items()},
    **{f"arn:aws:states:::aws-sdk:s3:{verb}": does for verb, does in _S3.items()},
    RESOURCE + SubWorkflow.type: sub_workflow,
    parts.RESOURCE: part,
    **PLATFORM,
    APPROVAL: approvals.ask,
    CALLBACK: waits.callback,
    EVENT: waits.event,
    "arn:aws:states:::states:startExecution": start_execution,
    "arn:aws:states:::aws-sdk:sfn:startExecution": start_execution,
}
