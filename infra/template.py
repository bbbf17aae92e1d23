"""What is merged into the template that Chalice makes: layers, resources, and how queues feed their functions.

Chalice's merge adds to dictionaries and replaces lists; an intrinsic must never be merged over another.
"""

from collections.abc import Sequence
from typing import Any

from infra.queues import FUNCTION_TIMEOUT, logical, queues
from infra.storage import bucket, key
from infra.table import table
from linkflow.messages import QUEUES
from linkflow.runtime.functions import Function, QueueTrigger

MOST_AT_ONCE = 50
"""Invocations of one queue function at the same time, so that a burst does not starve the account."""


def template(functions: Sequence[Function], names: str, runtime: str) -> dict[str, Any]:
    return {
        "Globals": {
            "Function": {
                "Layers": [{"Ref": "DependenciesLayer"}, {"Ref": "LinkflowLayer"}],
                "Environment": {"Variables": {"LINKFLOW_BUCKET": {"Ref": "Blobs"}}},
            }
        },
        "Resources": {
            "DependenciesLayer": _layer("dependencies-layer.zip", runtime),
            "LinkflowLayer": _layer("linkflow-layer.zip", runtime),
            **table(names),
            **queues(names, QUEUES),
            **bucket(names),
            **key(f"alias/{names}"),
            **{logical(one.name): _fed(one) for one in functions if isinstance(one.trigger, QueueTrigger)},
        },
    }


def _layer(archive: str, runtime: str) -> dict[str, Any]:
    properties = {"ContentUri": f"./{archive}", "CompatibleRuntimes": [runtime], "RetentionPolicy": "Delete"}
    return {"Type": "AWS::Serverless::LayerVersion", "Properties": properties}


def _fed(function: Function) -> dict[str, Any]:
    source = {
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": MOST_AT_ONCE},
    }
    events = {f"{logical(function.name)}SqsEventSource": {"Properties": source}}
    return {"Properties": {"Timeout": FUNCTION_TIMEOUT, "Events": events}}
