"""What programs send to the engine's door, and get. The rest is in `runtime/`: `descriptions`, `wishing`, `telling`."""

from typing import Any

from pydantic import Field

from linkflow.runtime import wishing
from linkflow.runtime.routes import Schema
from linkflow.runtime.starting import StartOptions
from linkflow.runtime.telling import SignalOrStart
from linkflow.runtime.views import FailureView

LONGEST_WAIT = 300.0


class StartExecution(StartOptions):
    """`workflow` is an id, or a name that only one has; `node` the trigger to start from (by hand unless told). `wait`:
    seconds to wait for the result before answering without it."""

    workflow: str = Field(min_length=1, max_length=200)
    node: str | None = Field(None, max_length=64)
    wait: float = Field(0, ge=0, le=LONGEST_WAIT)


class SignalWithStart(SignalOrStart):
    """`workflow` is an id, or a name that only one has; `node` the trigger to start from."""

    workflow: str = Field(min_length=1, max_length=200)
    node: str | None = Field(None, max_length=64)


class SignalledView(Schema):
    """The execution that was told, whether it was started for that, and the signal's id."""

    id: str
    new: bool
    signal: str
    url: str


class StartedView(Schema):
    """`new` is False for an execution that was there before. What follows `url` is there once it is over."""

    id: str
    new: bool
    status: str
    url: str
    output: Any = None
    error: FailureView | None = None


class Wish(wishing.Wish):
    """`by` is who wishes it, for people; `reason` is kept in the execution's book."""

    by: str = Field("", max_length=200)


class ResetExecution(wishing.ResetExecution, Wish):
    """Take it up again from there: as at people's door, with who wishes it."""
