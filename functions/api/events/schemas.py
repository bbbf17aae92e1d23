"""What callers send and get about events. Source: CloudEvents 1.0, JSON event format, structured mode."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from linkflow.runtime.routes import Schema


class CloudEvent(Schema):
    """Extension attributes stand beside the others."""

    model_config = ConfigDict(extra="allow", frozen=True)

    specversion: Literal["1.0"]
    id: str = Field(min_length=1, max_length=500, description="Names it within its source: a repeated one is known.")
    source: str = Field(min_length=1, max_length=2_000)
    type: str = Field(min_length=1, max_length=200)
    subject: str | None = None
    time: str | None = None
    datacontenttype: str | None = None
    dataschema: str | None = None
    data: Any = None
    data_base64: str | None = None


class EventAccepted(Schema):
    """Executions that it `started`, and those of which it `ended` a wait; `repeated`: it was published before, and this
    followed then. `queued`: so many have subscribed that they are told after this answer, which names none."""

    started: list[str]
    ended: list[str]
    repeated: bool
    queued: bool
