"""The facts of signals: what somebody tells a running execution, and who waits for it. Part of `events`, which has the
unions.
"""

from collections.abc import Mapping

from linkflow.execution.lifecycle import Fact
from linkflow.language.json import Json


class SignalReceived(Fact, frozen=True):
    """Somebody told the execution something. It stands in the mailbox until a state takes it; `id` names it, so that a
    repeated one is known; `by` names who sent it, if that is known."""

    name: str
    payload: Json
    id: str
    by: str = ""


class SignalAwaited(Fact, frozen=True):
    """The scope waits for the first signal of this name that the filter lets pass, at most until a moment. `seen` is
    what the filter may look at besides the signal."""

    scope: int
    name: str
    filter: str | None = None
    seen: Mapping[str, Json] = {}
    until: float | None = None


class SignalTaken(Fact, frozen=True):
    """The scope has its signal, which nobody else will get; its payload is the state's result."""

    scope: int
    id: str


class SignalMissed(Fact, frozen=True):
    """None came in time."""

    scope: int
