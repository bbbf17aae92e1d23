"""What whoever works on a task outside sends."""

from typing import Any

from pydantic import Field

from linkflow.runtime.routes import Schema


class TaskToken(Schema):
    token: str = Field(min_length=1, max_length=2_048, description="`$states.context.Task.Token`, or `$$.Task.Token`.")


class TaskDone(TaskToken):
    output: Any = None


class TaskRefused(TaskToken):
    error: str | None = Field(None, max_length=256)
    cause: str | None = Field(None, max_length=32_768)
