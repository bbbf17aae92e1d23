"""What callers send and get about callbacks. Times are RFC 3339 in UTC."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from linkflow.language.graph.definition import CallbackEvent, CallbackUrl
from linkflow.runtime.routes import Schema

Events = Annotated[list[CallbackEvent], Field(min_length=1)]
GivenSecret = Annotated[SecretStr, Field(min_length=16, max_length=1_000)]


class CreateCallback(Schema):
    """Without a secret of its own the callback is signed with the installation's, which also opens `/engine/v1`: give
    receivers that are not yours one of their own."""

    url: CallbackUrl
    on: Events = Field(default_factory=lambda: list[CallbackEvent](["completed", "failed"]))
    workflow: str | None = Field(None, description="The one workflow it is about; all of the workspace unless told.")
    name: str = Field("", max_length=200)
    own_secret: bool = Field(False, description="Make a secret for this callback alone; it is shown once.")
    secret: GivenSecret | None = Field(None, description="A secret for this callback alone, made by you.")


class ChangeCallback(Schema):
    """What is left out stays as it is."""

    url: CallbackUrl | None = None
    on: Events | None = None
    name: str | None = Field(None, max_length=200)


class RotateCallbackSecret(Schema):
    secret: GivenSecret | None = Field(None, description="Made by you; otherwise a new one is made.")


class CallbackView(Schema):
    """`signed_with`: its `own` secret, or the `installation`'s. `secret` is shown when it is made and never again.
    `in_definition`: it stands in the workflow's settings and changes with those."""

    id: str
    url: str
    on: list[str]
    workflow: str | None
    name: str
    signed_with: Literal["own", "installation"]
    in_definition: bool
    created_at: str
    updated_at: str
    secret: str | None = None


class CallbackList(Schema):
    data: list[CallbackView]


class AttemptView(Schema):
    """`answer` is the beginning of what the other side said; `error` says why there was no answer."""

    at: str
    latency_ms: float
    status: int | None = None
    answer: str = ""
    error: str = ""


class DeliveryView(Schema):
    """`id` is what the receiver sees as `X-LinkFlow-Delivery`. `tries` counts all attempts; the last are shown."""

    id: str
    execution: str
    event: str
    status: Literal["pending", "delivered", "dead"]
    created_at: str
    closed_at: str | None = None
    next_try_at: str | None = None
    tries: int
    reason: str = ""
    attempts: list[AttemptView]


class DeliveryPage(Schema):
    data: list[DeliveryView]
    next_cursor: str | None = None
