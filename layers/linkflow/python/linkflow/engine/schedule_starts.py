"""What schedules start: when a moment is due, by hand, and for the past.

Every execution of a due moment has the id that follows from both, however it comes to be started, so that a moment that
fired is not backfilled and one that was backfilled twice ran once.
"""

import contextlib
from typing import Final

from msgspec.structs import replace

from linkflow import ids
from linkflow.engine.cancel import cancel
from linkflow.engine.engine import Engine
from linkflow.engine.firing import execution_of, logged
from linkflow.engine.start import Start, start
from linkflow.errors import Conflict, NotFound
from linkflow.execution.surroundings import moment_text
from linkflow.language.json import Json
from linkflow.language.recurrence.recurrence import due_between
from linkflow.language.recurrence.zones import zone_named, zoned_text
from linkflow.stores.schedules import Firing, Found, Owed, Schedule

TRIGGER: Final = "schedule"
MOST_BACKFILLED: Final = 1_000
"""Executions that one backfill may start."""


async def start_owed(engine: Engine, schedule: Schedule, owed: Owed) -> None:
    """Raises what a start raises; doing it again changes nothing."""
    for execution in owed.cancel:
        with contextlib.suppress(NotFound, Conflict):
            await cancel(engine, schedule.workspace, execution, schedule.id, "The schedule's next execution begins.")
    await _start(engine, schedule, owed.execution, _input(schedule, owed.due, owed.at))


async def trigger_now(engine: Engine, found: Found, key: str | None) -> str:
    """Start an execution now, whatever the overlap policy; its id. The same `key` gives the same execution."""
    schedule, now = found.schedule, engine.clock.now()
    execution = engine.ids.new(ids.EXECUTION) if key is None else ids.derived(ids.EXECUTION, schedule.id, f"by {key}")
    await _start(engine, schedule, execution, _input(schedule, now, now, by="trigger"))
    await _note(engine, found, Firing(int(now), now, execution))
    return execution


def to_backfill(schedule: Schedule, begin: float, until: float) -> list[int]:
    """The due moments in [begin, until]. Raises `Conflict` if they are too many."""
    found: list[int] = []
    for due in due_between(schedule.recurrence, begin - 0.001, until):
        if len(found) == MOST_BACKFILLED:
            raise Conflict(f"More than {MOST_BACKFILLED:,} moments are due in this range; ask for a part of it.")
        found.append(due)
    return found


async def backfill(engine: Engine, schedule: Schedule, due: int) -> tuple[str, bool]:
    """Start the execution of a past due moment, whatever the overlap policy; its id, and whether it is a new one. One
    that fired, or was backfilled before, is left as it is."""
    execution = execution_of(schedule, due)
    if await engine.summaries.get(schedule.workspace, execution) is not None:
        return execution, False
    await _start(engine, schedule, execution, _input(schedule, due, engine.clock.now(), by="backfill"))
    return execution, True


async def _start(engine: Engine, schedule: Schedule, execution: str, given: Json) -> None:
    workflow = await engine.workflows.get(schedule.workspace, schedule.workflow)
    program = engine.programs.of(await engine.workflows.current(workflow))
    node = schedule.node or program.manual_start
    await start(engine, Start(workflow, given, TRIGGER, node, schedule.name, execution=execution))


def _input(schedule: Schedule, due: float, fired: float, *, by: str = "") -> Json:
    """What an execution is started with. `by`: it was not the clock (`trigger`, `backfill`)."""
    given: dict[str, Json] = {
        "schedule": schedule.id,
        "name": schedule.name,
        "due_at": moment_text(due),
        "due_at_local": zoned_text(due, zone_named(schedule.recurrence.zone)),
        "fired_at": moment_text(fired),
        "input": schedule.input,
    }
    if schedule.overlap == "queue":
        given["overlap"] = "queue"
    return {**given, "by": by} if by else given


async def _note(engine: Engine, found: Found, firing: Firing) -> None:
    while not any(entry.execution == firing.execution for entry in found.standing.log):
        standing = found.standing
        keeps = found.schedule.overlap != "allow" and firing.execution is not None
        running = (*standing.running, firing.execution) if keeps and firing.execution else standing.running
        noted = replace(standing, log=logged(standing.log, (firing,)), running=running)
        if await engine.schedules.advance(found, noted, keep_due=True):
            return
        try:
            found = await engine.schedules.get(found.schedule.workspace, found.schedule.id)
        except NotFound:
            return
