"""Schedules at work: looking what is due, and firing it exactly once.

    sweep (each minute) ──▶ Due message, delayed to the second ──▶ fire:  decide ── write it down if nothing changed
                                                                             │        (the claim: one ticker wins)
                                                                             ▼
                                                          start what is owed ──▶ write down that it is done

Crash rules. Before the claim nothing happened. After it the schedule stays among what is due until its starts are
carried out, so the next sweep carries them out again; an execution's id follows from the schedule and the due moment,
so starting it again starts nothing. Two tickers find the same claim: one writes it, the other reads what it owes.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from linkflow.engine.engine import Engine
from linkflow.engine.firing import decide
from linkflow.engine.holds import is_held
from linkflow.engine.schedule_starts import TRIGGER, start_owed
from linkflow.engine.wakes import due as look_at
from linkflow.errors import NotFound, Refused
from linkflow.execution.state import State
from linkflow.language.recurrence.recurrence import next_due
from linkflow.ports import Put, Send
from linkflow.stores import index_keys
from linkflow.stores.schedules import Found, Owed, Schedule, Standing, next_look

HORIZON: Final = 75.0
"""Seconds ahead for which messages are sent: what is due later is found by the next sweep."""
OVERDUE: Final = 5.0
"""Seconds behind its moment at which a message that was announced is taken for lost."""
_WAITED_FOR: Final = 2.0
_PAGE: Final = 200


async def sweep(engine: Engine, now: float) -> int:
    """Have every schedule looked at, to the second, that is due before the next sweep; how many they are."""
    return sum([await sweep_shard(engine, shard, now) for shard in range(index_keys.DUE_SHARDS)])


async def sweep_shard(engine: Engine, shard: int, now: float) -> int:
    count, cursor = 0, None
    while True:
        entries, cursor = await engine.schedules.due(shard, now + HORIZON, _PAGE, cursor)
        wanted = [one for one in entries if one.announced is None or one.moment < now - OVERDUE]
        if wanted:
            await engine.queue.send([look_at(one.workspace, one.schedule, one.moment - now) for one in wanted])
        count += len(wanted)
        if cursor is None:
            return count


def opening(engine: Engine, schedule: Schedule) -> tuple[Sequence[Put], Sequence[Send]]:
    """What is to be written for a new schedule, and then sent."""
    first = Standing(next_due(schedule.recurrence, engine.clock.now()))
    standing, sends = announced(engine, schedule, first)
    return engine.schedules.creation(schedule, standing), sends


async def fire(engine: Engine, workspace: str, identifier: str) -> None:
    """Do whatever is due of this schedule; nothing, if it is too early, done already, paused or deleted."""
    while True:
        try:
            found = await engine.schedules.get(workspace, identifier)
        except NotFound:
            return
        if found.standing.owed:
            await _carry_out(engine, found)
            continue
        if await _is_held(engine, found.schedule):
            return
        running = await _running(engine, found)
        decided = decide(found.schedule, found.standing, running, engine.clock.now())
        if decided is None:
            if not await _nearly(engine, found):
                return
            continue
        if decided.owed:
            await engine.schedules.advance(found, decided, keep_due=True)
        else:
            await engine.schedules.advance(found, *announced(engine, found.schedule, decided))


async def _is_held(engine: Engine, schedule: Schedule) -> bool:
    """What is due meanwhile is missed, if it takes too long: the misfire policy says what becomes of it."""
    controls = await engine.switchboard.controls()
    return "schedules" in controls.features_off or await is_held(engine, schedule.workspace, schedule.workflow)


async def _nearly(engine: Engine, found: Found) -> bool:
    """Whether its moment is so near that it was worth waiting for; this clock may be behind the one of the queue."""
    moment, now = next_look(found.schedule, found.standing), engine.clock.now()
    if moment is None or not now < moment <= now + _WAITED_FOR:
        return False
    await engine.clock.sleep(moment - now)
    return True


def announced(engine: Engine, schedule: Schedule, standing: Standing) -> tuple[Standing, Sequence[Send]]:
    """With the message that has its next firing looked at to the second, if that comes before the next sweep."""
    moment, now = next_look(schedule, standing), engine.clock.now()
    if moment is None or moment > now + HORIZON:
        return replace(standing, announced=None), ()
    return replace(standing, announced=moment), (look_at(schedule.workspace, schedule.id, moment - now),)


async def _running(engine: Engine, found: Found) -> list[str]:
    """Those of its executions that are open still."""
    workspace, open_ones = found.schedule.workspace, []
    for execution in found.standing.running:
        summary = await engine.summaries.get(workspace, execution)
        if summary is not None and summary.status == "running":
            open_ones.append(execution)
    return open_ones


async def _carry_out(engine: Engine, found: Found) -> None:
    refused: dict[str, str] = {}

    async def begin(owed: Owed) -> None:
        try:
            await start_owed(engine, found.schedule, owed)
        except Refused as error:
            refused[owed.execution] = error.code

    await asyncio.gather(*(begin(owed) for owed in found.standing.owed))
    standing = found.standing
    log = tuple(
        replace(entry, execution=None, skipped=refused[entry.execution]) if entry.execution in refused else entry
        for entry in standing.log
    )
    running = tuple(execution for execution in standing.running if execution not in refused)
    settled = replace(standing, owed=(), log=log, running=running)
    await engine.schedules.advance(found, *announced(engine, found.schedule, settled))


async def next_in_line(engine: Engine, workspace: str, state: State) -> None:
    """The execution is over: if others of its schedule wait for it, have the schedule looked at. Should that be lost,
    the sweep does it."""
    if state.trigger == TRIGGER and isinstance(state.input, dict) and state.input.get("overlap") == "queue":
        await engine.queue.send([look_at(workspace, str(state.input["schedule"]))])
