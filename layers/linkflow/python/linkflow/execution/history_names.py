"""How Step Functions' history names states and the tasks that do their work."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, assert_never

from linkflow.language import program as p
from linkflow.language.json import Json

Kind = Literal["Pass", "Choice", "Wait", "Succeed", "Fail", "Task", "Parallel", "Map"]


def kind_of_state(box: p.State) -> Kind:
    match box:
        case p.Pass() | p.Node():
            return "Pass"
        case p.Choice():
            return "Choice"
        case p.Wait():
            return "Wait"
        case p.Succeed():
            return "Succeed"
        case p.Fail():
            return "Fail"
        case p.Task() | p.Receive():
            return "Task"
        case p.Parallel() | p.Graph():
            return "Parallel"
        case p.Map():
            return "Map"
        case _:
            assert_never(box)


@dataclass(frozen=True, slots=True)
class TaskWords:
    """`prefix` begins the event types of a task, `input` names its arguments; `about` is in all details."""

    prefix: Literal["LambdaFunction", "Activity", "Task"]
    input: Literal["input", "parameters"]
    resource: str
    service: str = ""
    about: Mapping[str, Json] = field(default_factory=dict)


@lru_cache(maxsize=1024)
def task_words(resource: str) -> TaskWords:
    if resource.startswith("arn:") and ":lambda:" in resource and ":function:" in resource:
        return TaskWords("LambdaFunction", "input", resource)
    if ":activity:" in resource:
        return TaskWords("Activity", "input", resource)
    service, _, operation = resource.removeprefix("arn:aws:states:::").rpartition(":")
    if operation == "2":  # `startExecution.sync:2`
        service, _, start = service.rpartition(":")
        operation = f"{start}:2"
    return TaskWords("Task", "parameters", operation, service, {"resource": operation, "resourceType": service})
