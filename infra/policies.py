"""What each function may do, and nothing more. A function that receives from a queue may consume that one alone."""

from typing import Any

from linkflow.adapters.aws.sqs import queue_name
from linkflow.messages import CALLBACKS, CLOSED, LANE, OUTCOMES, QUEUES, TASKS, TASKS_ISOLATED, TIMERS
from linkflow.ports import QueueSpec
from linkflow.runtime.functions import Function, QueueTrigger

_VISITS = (LANE, TASKS, TASKS_ISOLATED, TIMERS, CLOSED, CALLBACKS)
"""What is sent by a visit that whoever starts an execution makes itself."""
_SENDS: dict[str, tuple[QueueSpec, ...]] = {
    "api": _VISITS,
    "edge": (LANE,),
    "frontend": _VISITS,
    "history": QUEUES,  # (a redrive is a task of the platform's, and sends to whatever queue a letter died in)
    "matching": QUEUES,
    "worker": (LANE,),
    "timer": (LANE, TIMERS),
    "visibility": (LANE,),
    "control_plane": (TIMERS,),
}
"""By service, the queues it sends to."""
_OPENS_SECRETS = frozenset({"api", "control_plane", "edge", "frontend", "history"})
_GATHERS = frozenset({"matching_sweep"})
"""Functions that receive from all dead letters."""
ISOLATED: dict[str, tuple[QueueSpec, ...]] = {"worker_isolated": (OUTCOMES,)}
"""Functions that run what is not trusted, by the queues they send to: besides that, and the queue they are fed from,
they have nothing."""


def policy(functions: list[Function], names: str) -> dict[str, Any]:
    """For one Lambda function that carries out `functions` (HTTP ones share theirs)."""
    services = {one.service for one in functions}
    isolated = {one.name for one in functions} <= ISOLATED.keys()
    reach = [ISOLATED[one.name] if isolated else _SENDS[one.service] for one in functions]
    sends = sorted({spec.name for specs in reach for spec in specs})
    statements = [_allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], ["arn:*:logs:*:*:*"])]
    if not isolated:
        table = f"arn:*:dynamodb:*:*:table/{names}"
        reads_and_writes = ["GetItem", "PutItem", "DeleteItem", "Query", "ConditionCheckItem"]
        statements.append(_allow([f"dynamodb:{verb}" for verb in reads_and_writes], [table, f"{table}/index/*"]))
        statements.append(_allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], [f"arn:*:s3:::{names}-*/*"]))
    if services & _OPENS_SECRETS:
        only_ours = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": f"alias/{names}"}}
        seals = _allow(["kms:Decrypt", "kms:GenerateDataKey"], ["arn:*:kms:*:*:key/*"])
        statements.append({**seals, "Condition": only_ours})
    if sends:
        arns = [_arn(spec, names) for spec in QUEUES if spec.name in sends]
        statements.append(_allow(["sqs:SendMessage", "sqs:GetQueueUrl"], arns))
    consumed = [_arn(one.trigger.queue, names) for one in functions if isinstance(one.trigger, QueueTrigger)]
    consumed += [_dead_arn(spec, names) for one in functions if one.name in _GATHERS for spec in QUEUES]
    if consumed:
        verbs = ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "ChangeMessageVisibility", "GetQueueUrl"]
        statements.append(_allow([f"sqs:{verb}" for verb in verbs], consumed))
    if "control_plane" in services:
        every = [arn for spec in QUEUES for arn in (_arn(spec, names), _dead_arn(spec, names))]
        statements.append(_allow(["sqs:GetQueueAttributes", "sqs:GetQueueUrl"], every))
    return {"Version": "2012-10-17", "Statement": statements}


def _allow(actions: list[str], resources: list[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


def _arn(spec: QueueSpec, names: str) -> str:
    return f"arn:*:sqs:*:*:{queue_name(names, spec.name, fifo=spec.fifo)}"


def _dead_arn(spec: QueueSpec, names: str) -> str:
    return f"arn:*:sqs:*:*:{queue_name(names, spec.dead_letters, fifo=spec.fifo)}"
