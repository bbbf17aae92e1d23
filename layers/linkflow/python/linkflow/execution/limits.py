"""How much data Step Functions lets a state hand on: 262,144 bytes of UTF-8 JSON.

Source: developer guide, "Quotas"; the words are recorded.
"""

from typing import Final

import msgspec

from linkflow.execution import events as e
from linkflow.execution.failures import DATA_LIMIT
from linkflow.execution.state import State
from linkflow.language import program as p
from linkflow.language.json import Json
from linkflow.language.view import EvaluationFailed

LARGEST_VALUE: Final = 262_144
_ENCODER: Final = msgspec.json.Encoder()


def exceeds(value: Json) -> bool:
    return len(_ENCODER.encode(value)) > LARGEST_VALUE


def exceeded(what: str) -> str:
    return f"The state/task '{what}' returned a result with a size exceeding the maximum number of bytes service limit."


def limited(program: p.Program, state: State, news: e.News) -> e.News:
    """A result that is too large for the States Language fails its task. What a Map reads has no such limit."""
    if program.dialect != "asl" or not isinstance(news, e.TaskSucceeded) or not exceeds(news.result):
        return news
    scope = state.scopes[news.scope]
    box = program.machines[scope.machine].states[scope.state]
    if not isinstance(box, p.Task):
        return news
    return e.TaskFailed(news.scope, news.task, DATA_LIMIT, exceeded(_named(box.resource)), news.started, news.finished)


def checked(box: p.State, shaped: p.Shaped) -> p.Shaped:
    """Raises `EvaluationFailed` when what a state made is too large."""
    if exceeds(shaped.output):
        raise EvaluationFailed(DATA_LIMIT, exceeded(box.name))
    return shaped


def _named(resource: str) -> str:
    """A service by its name, anything else by its whole ARN."""
    parts = resource.split(":")
    return parts[5] if resource.startswith("arn:aws:states:::") and parts[5] != "aws-sdk" else resource
