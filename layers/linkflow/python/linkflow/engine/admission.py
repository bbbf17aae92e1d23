"""Whether an execution may begin: the limits of its workflow.

    rate ────▶ its moment, reserved; until then it waits for the clock
    slots ───▶ one that is free; else, by `when_full`: it waits in line, is skipped, fails, or the oldest makes room

A workflow without limits never comes here. With one it costs a write to take a slot and one to give it back, and two
more where it has to wait. The part of a wide Map, and an execution that one of those waits for which hold a slot of the
same limit, ride on that slot: else they would wait for one another. (Workflows that call each other in a circle,
each with a limit, still can.)
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256

import msgspec

from linkflow.engine.engine import Engine
from linkflow.engine.portions import reserve
from linkflow.engine.room import OUTDATED, make_room
from linkflow.engine.slots import drop_the_dead, give_back, stand_in_line, take
from linkflow.execution.advance import next_moment
from linkflow.execution.events import (
    ExecutionAdmitted,
    ExecutionCancelled,
    ExecutionFailed,
    ExecutionQueued,
    News,
    ResumeRequested,
)
from linkflow.execution.state import Scope, State
from linkflow.execution.surroundings import ScopeSurroundings
from linkflow.language.program import Limit, Program
from linkflow.language.view import EvaluationFailed, View
from linkflow.stores import keys
from linkflow.stores.limits import Line, Rate

LIMIT_REACHED = "LinkFlow.LimitReached"
LONGEST_LINE = 366 * 86_400.0
"""Seconds for which a place under a rate may be reserved ahead."""

Verdict = ExecutionAdmitted | ExecutionQueued | ExecutionCancelled | ExecutionFailed
"""It may begin, must wait, is skipped, or fails."""


@dataclass(frozen=True, slots=True)
class Asking:
    """The execution that wants to begin, or is over. `again`: a visit before may have died of asking."""

    workspace: str
    execution: str
    state: State
    again: bool = False


def must_ask(program: Program, state: State, news: Sequence[News], now: float) -> bool:
    """Whether limits stand between the execution and its first step. One that is to end, or is not to begin yet, needs
    no slot."""
    if not program.limits or state.admitted or state.closed or state.cancel is not None:
        return False
    if state.paused is not None and not any(isinstance(one, ResumeRequested) for one in news):
        return False
    moment = next_moment(state)
    late = state.deadline is not None and state.deadline <= now
    return not late and (state.scopes[0].phase != "delayed" or (moment is not None and moment <= now))


async def ask(engine: Engine, program: Program, asking: Asking) -> Verdict:
    """Asking again gives the same slot, and the same place in line."""
    if asking.state.part is not None:
        return ExecutionAdmitted()
    paid = asking.state.queued_until is not None
    try:
        for limit in program.limits:
            name = _name(limit, asking.state, engine.clock.now())
            if limit.seconds is not None:
                verdict = None if paid else await _in_time(engine, asking, limit, name)
            else:
                verdict = await _in_slot(engine, asking, limit, name)
            if verdict is not None:
                return verdict
    except EvaluationFailed as failed:
        return ExecutionFailed(failed.error, failed.cause)
    return ExecutionAdmitted()


async def release(engine: Engine, program: Program, asking: Asking) -> None:
    """The execution is over: whoever waits for its slot gets it."""
    state = asking.state
    for limit in program.limits:
        if limit.seconds is None and state.part is None:
            with suppress(EvaluationFailed):
                name = _name(limit, state, engine.clock.now())
                place = None
                if not state.admitted:
                    place = keys.waiter(asking.workspace, name, state.priority, state.started_at, asking.execution)
                line = Line(asking.workspace, name, limit.most)
                await give_back(engine, line, asking.execution, place, again=asking.again)


async def still_waits(engine: Engine, program: Program, asking: Asking) -> bool:
    """Whether it rightfully waits: its moment has not come, or no slot was handed to it that it has not heard of."""
    state = asking.state
    if state.queued is None or state.admitted:
        return False
    for limit in program.limits:
        if limit.seconds is not None and limit.name == state.queued:
            return state.queued_until is not None and engine.clock.now() < state.queued_until
        if limit.seconds is None:
            name = _name(limit, asking.state, engine.clock.now())
            read = await engine.limit_items.slots(Line(asking.workspace, name, limit.most))
            if asking.execution in read.slots.holders or not read.slots.crowded:
                return False
    return True


async def _in_time(engine: Engine, asking: Asking, limit: Limit, name: str) -> Verdict | None:
    patience = LONGEST_LINE if limit.when_full == "queue" else 0.0
    rate = Rate(limit.most, limit.seconds or 1.0)
    moment = await reserve(engine, asking.workspace, name, rate, patience)
    if moment <= engine.clock.now():
        return None
    said = f"{limit.most} executions in {limit.seconds:g} s are allowed, and have begun."
    return _sent_away(limit, said) or ExecutionQueued(limit.name, moment)


async def _in_slot(engine: Engine, asking: Asking, limit: Limit, name: str) -> Verdict | None:
    line, who = Line(asking.workspace, name, limit.most), asking.execution
    age = _age(asking.state)
    if await _rides(engine, asking, line) or await take(engine, line, who, age):
        return None
    if limit.when_full != "queue":
        read = await drop_the_dead(engine, line)
        if read.slots.free > 0 and await take(engine, line, who, age):
            return None
    said = f"{limit.most} executions at once are allowed, and are under way."
    away = _sent_away(limit, said)
    if away is not None:
        return away
    since, again = asking.state.started_at, asking.again
    if await stand_in_line(engine, line, asking.state.priority, since, who, age, again=again):
        return None
    if limit.when_full == "cancel_oldest" and not await make_room(engine, line, who):
        return ExecutionCancelled(OUTDATED)
    return ExecutionQueued(limit.name)


def _sent_away(limit: Limit, said: str) -> Verdict | None:
    if limit.when_full == "skip":
        return ExecutionCancelled(f"Skipped: {said}")
    if limit.when_full == "fail":
        return ExecutionFailed(LIMIT_REACHED, f"{said} Start it later, or let it wait (when_full: queue).")
    return None


def _age(state: State) -> float:
    """The moment from which it counts as old: when it could have begun."""
    return max(state.started_at, state.begins or 0.0)


async def _rides(engine: Engine, asking: Asking, line: Line) -> bool:
    """Whether an execution that waits for this one holds a slot of the same limit."""
    parent = asking.state.parent
    if parent is None:
        return False
    holders = (await engine.limit_items.slots(line)).slots.holders
    while parent is not None:
        if parent.execution in holders:
            return True
        book = await engine.books.load(asking.workspace, parent.execution)
        parent = None if book is None else book.state.parent
    return False


def _name(limit: Limit, state: State, now: float) -> str:
    """What the limit counts: executions of the workflow, with one value of its key. Raises `EvaluationFailed`."""
    name = f"{state.names.workflow_id} {limit.name}"
    if limit.key is None:
        return name
    scope = Scope(id=0, parent=None, key="", machine="", carry=state.input)
    value = limit.key.evaluate(View(state.input, ScopeSurroundings(state, scope, state.started_at or now)))
    return f"{name} {sha256(msgspec.json.encode(value, order='sorted')).hexdigest()[:24]}"
