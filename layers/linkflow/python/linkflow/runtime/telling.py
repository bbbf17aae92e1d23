"""What callers say of a signal, and get, the same at every door."""

from typing import Any

from pydantic import Field

from linkflow import ids
from linkflow.engine.start import Started
from linkflow.execution.events import SignalReceived
from linkflow.runtime.routes import Schema
from linkflow.runtime.starting import StartOptions
from linkflow.runtime.wiring import World


class SendSignal(Schema):
    """`id` names the signal: sent again with the same one it is heard once."""

    name: str = Field(min_length=1, max_length=200)
    payload: Any = None
    id: str | None = Field(None, min_length=1, max_length=200)


class SignalSent(Schema):
    id: str


class SignalOrStart(StartOptions):
    """The execution that is open with this `business_key` (and was started under a `key_policy`) is told the `signal`;
    if there is none, one is started as the rest says, and told."""

    business_key: str = Field(min_length=1, max_length=200)
    signal: SendSignal


class SignalledView(Schema):
    """`new`: the execution was started for it. `signal` is the signal's id."""

    execution: str
    new: bool
    signal: str


def told(world: World, body: SendSignal, by: str, key: str | None = None) -> SignalReceived:
    """A signal without an id bears the request's idempotency `key`; without that it is a new one each time."""
    return SignalReceived(body.name, body.payload, body.id or key or world.ids.new(ids.SIGNAL), by)


def signalled_view(started: Started, signal: SignalReceived) -> SignalledView:
    return SignalledView(execution=started.execution, new=started.new, signal=signal.id)
