"""Signals: what somebody tells a running execution, and the states that wait for it.

    SignalReceived ──▶ mailbox ──▶ SignalTaken      the first that matches, in the order in which they came
    SignalAwaited ──▶ receivers ──▶                 who has waited longest is asked first

A signal is taken once. One that nobody waits for yet is kept, so that it makes no difference which of the two comes
first; one that comes again (the same id) is dropped. What a filter looks at was fixed when the wait began, so whoever
judges again, after a crash or years later, judges the same.
"""

from typing import Final

from linkflow.execution import events as e
from linkflow.execution.failures import TIMEOUT
from linkflow.execution.state import Failure, Phase, Scope, Signal, State, Wanted
from linkflow.execution.tree import count, deafen, ready, waited
from linkflow.language.filters import holds
from linkflow.language.json import Json
from linkflow.language.view import EvaluationFailed

UNREAD: Final = 1_000
"""Signals that a mailbox holds."""
HEARD: Final = 10_000
"""Ids that are remembered: one that comes again behind so many others is taken for a new one."""


def is_new(state: State, news: e.SignalReceived) -> bool:
    """Whether the signal was not heard before, and there is room for it."""
    return news.id not in state.heard and len(state.mailbox) < UNREAD


def awaited(scope: Scope, given: Json, until: float | None) -> e.SignalAwaited:
    """The wait that a state's arguments ask for."""
    name = given.get("name") if isinstance(given, dict) else None
    if not isinstance(name, str) or not name:
        raise EvaluationFailed("LinkFlow.BadConfig", "'name' must say which signal to wait for.")
    about = given.get("with") or {}
    if not isinstance(about, dict):
        raise EvaluationFailed("LinkFlow.BadConfig", "'with' must be an object: what the filter may look at.")
    return e.SignalAwaited(scope.id, name, given.get("filter"), about, until)


def chosen(state: State, scope: Scope) -> e.SignalTaken | None:
    """The first unread signal that the scope waits for."""
    wanted = scope.wanted
    if wanted is None:
        return None
    for signal in state.mailbox:
        if signal.name == wanted.name and _passes(wanted, signal, scope.entered_at):
            return e.SignalTaken(scope.id, signal.id)
    return None


def _passes(wanted: Wanted, signal: Signal, now: float) -> bool:
    told = {"name": signal.name, "payload": signal.payload, "id": signal.id, "by": signal.by}
    return wanted.filter is None or holds(wanted.filter, {**wanted.seen, "signal": told}, now)


# ---------------------------------------------------------------- part of `evolve`


def hear(state: State, event: e.SignalReceived) -> None:
    state.mailbox.append(Signal(event.name, event.payload, event.id, event.by))
    state.heard[event.id] = None
    if len(state.heard) > HEARD:
        del state.heard[next(iter(state.heard))]
    state.agenda += state.receivers


def listen(state: State, event: e.SignalAwaited) -> None:
    scope = ready(state, event.scope, "receive")
    scope.wanted = Wanted(event.name, event.filter, dict(event.seen))
    scope.due, scope.attempt = event.until, scope.attempt + 1
    state.receivers.append(scope.id)
    count(state, scope, 2)


def take(state: State, event: e.SignalTaken) -> None:
    scope = _heard_enough(state, event.scope, "finish")
    waited(state, scope)
    (signal,) = [one for one in state.mailbox if one.id == event.id]
    state.mailbox.remove(signal)
    scope.result = signal.payload


def miss(state: State, event: e.SignalMissed) -> None:
    _heard_enough(state, event.scope, "failed").failure = Failure(TIMEOUT, None)


def _heard_enough(state: State, number: int, phase: Phase) -> Scope:
    scope = ready(state, number, phase)
    deafen(state, scope)
    scope.due = None
    count(state, scope, 1)
    return scope
