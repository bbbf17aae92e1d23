"""Runs of state machines on the core alone."""

from collections.abc import Mapping
from typing import Any, Final

from linkflow.language.asl import compile_asl
from tests.unit.driver import Run

LAMBDA: Final = "arn:aws:states:::lambda:invoke"
GET: Final = "arn:aws:states:::s3:getObject"
PUT: Final = "arn:aws:states:::s3:putObject"

State = Mapping[str, Any]


def machine(*, language: str = "JSONPath", **states: State) -> Run:
    """A machine of these states, run one after the other unless they say otherwise."""
    names = list(states)
    for name, following in zip(names, [*names[1:], None], strict=True):
        state = dict(states[name])
        if state["Type"] not in ("Fail", "Succeed", "Choice") and not {"Next", "End"} & set(state):
            state |= {"Next": following} if following else {"End": True}
        states[name] = state
    return Run(compile_asl({"StartAt": names[0], "QueryLanguage": language, "States": states}))


def task(**fields: Any) -> State:
    return {"Type": "Task", "Resource": LAMBDA, **fields}


def distributed(**fields: Any) -> State:
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, "StartAt": "Work", "States": {"Work": task(End=True)}}
    return {"Type": "Map", "ItemProcessor": processor, **fields}
