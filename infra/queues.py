"""The queues and their dead letters. On Lambda a message stays invisible for as long as its function may take."""

from collections.abc import Sequence
from typing import Any

from linkflow.adapters.aws.sqs import queue_name
from linkflow.ports import QueueSpec

FUNCTION_TIMEOUT = 900
_KEPT = 14 * 86_400


def queues(names: str, specs: Sequence[QueueSpec]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for spec in specs:
        fifo = {"FifoQueue": True} if spec.fifo else {}
        dead = f"{logical(spec.name)}DeadLetters"
        made[dead] = {
            "Type": "AWS::SQS::Queue",
            "Properties": {
                "QueueName": queue_name(names, spec.dead_letters, fifo=spec.fifo),
                "MessageRetentionPeriod": _KEPT,
                **fifo,
            },
        }
        made[f"{logical(spec.name)}Queue"] = {
            "Type": "AWS::SQS::Queue",
            "Properties": {
                "QueueName": queue_name(names, spec.name, fifo=spec.fifo),
                "VisibilityTimeout": FUNCTION_TIMEOUT,
                "MessageRetentionPeriod": _KEPT,
                "RedrivePolicy": {
                    "deadLetterTargetArn": {"Fn::GetAtt": [dead, "Arn"]},
                    "maxReceiveCount": spec.max_receives,
                },
                **fifo,
            },
        }
    return made


def logical(name: str) -> str:
    """`timer_alarms` as CloudFormation names it: `TimerAlarms`."""
    return "".join(part.capitalize() for part in name.replace("-", "_").split("_"))
