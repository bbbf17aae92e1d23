"""How much data Step Functions lets a state hand on: 262,144 bytes of UTF-8 JSON.

Source: developer guide, "Quotas"; the words are recorded.
"""

from typing import Final

import msgspec

from linkflow.execution import events as e
from linkflow.execution.failures import DATA_LIMIT, RUNTIME
from linkflow.execution.state import State
from linkflow.language import program as p
from linkflow.language.json import Json
from linkflow.language.view import EvaluationFailed

LARGEST_VALUE: Final = 262_144
_ENCODER: Final = msgspec.json.Encoder()


LONGEST_CAUSE: Final = 32_768
"""Characters (API reference, `HistoryEvent`)."""


def exceeds(value: Json) -> bool:
    try:
        return len(_ENCODER.encode(value)) > LARGEST_VALUE
    except UnicodeEncodeError:
        return True


def exceeded(what: str) -> str:
    return f"The state/task '{what}' returned a result with a size exceeding the maximum number of bytes service limit."


def limited(program: p.Program, state: State, news: e.News) -> e.News:
    """A result that is too large for the States Language fails its task. What a Map reads has no such limit."""
    if program.dialect != "asl" or not isinstance(news, e.TaskSucceeded) or not exceeds(news.result):
        return news
    scope = state.scopes[news.scope]
    box = program.machines[scope.machine].states.get(scope.state)
    if not isinstance(box, p.Task):
        return news
    return e.TaskFailed(news.scope, news.task, DATA_LIMIT, exceeded(_named(box.resource)), news.started, news.finished)


def checked(program: p.Program, box: p.State, value: Json) -> Json:
    """What a state made, if it can go into the book. Raises `EvaluationFailed` where it is too large for the States
    Language, and in every dialect where a text holds half a character, which no JSON can carry."""
    try:
        size = len(_ENCODER.encode(value))
    except UnicodeEncodeError as error:
        raise EvaluationFailed(RUNTIME, f"A text holds an unpaired surrogate: {error.reason}") from error
    if size > LARGEST_VALUE and program.dialect == "asl":
        raise EvaluationFailed(DATA_LIMIT, exceeded(box.name))
    return value


def _named(resource: str) -> str:
    """A service by its name, anything else by its whole ARN."""
    parts = resource.split(":")
    return parts[5] if resource.startswith("arn:aws:states:::") and parts[5] != "aws-sdk" else resource
