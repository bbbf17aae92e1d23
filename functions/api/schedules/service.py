"""Schedules as people handle them: made, changed with care for one another's changes, paused, made up for."""

import asyncio
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace
from pydantic import ValidationError

from functions.api.schedules.schemas import Backfill, ChangeSchedule, CreateSchedule, ReplaceSchedule
from linkflow import ids
from linkflow.engine.schedule_starts import backfill, to_backfill, trigger_now
from linkflow.engine.schedules import announced, opening
from linkflow.errors import ConditionFailed, Fault, Invalid, Outdated
from linkflow.language.graph.check import schema_faults
from linkflow.language.program import Graph
from linkflow.language.recurrence.form import RecurrenceForm, recurrence_faults, to_recurrence
from linkflow.language.recurrence.recurrence import Recurrence, next_due
from linkflow.runtime.wiring import World
from linkflow.stores.schedules import Found, Schedule, Standing

_RULES = ("cron", "every", "dates")
_AT_ONCE = 50
"""Executions that a backfill starts at the same time."""
Change = Callable[[Schedule], Schedule]


def checked(form: RecurrenceForm) -> Recurrence:
    """Raises `Invalid` with every fault."""
    if faults := recurrence_faults(form, "$.body"):
        raise Invalid("The schedule", faults)
    return to_recurrence(form)


async def create(world: World, workspace: str, body: CreateSchedule, key: str | None) -> Found:
    """The same `key` makes one schedule, however often it comes. Raises `Invalid`, `NotFound` and `Conflict` for the
    workflow."""
    recurrence = checked(body)
    workflow = await world.engine.workflows.named(workspace, body.workflow)
    await _check_node(world, workspace, workflow.id, body.node)
    now = world.clock.now()
    identifier = world.ids.new(ids.SCHEDULE) if key is None else ids.derived(ids.SCHEDULE, workspace, f"key {key}")
    schedule = Schedule(
        workspace, identifier, body.name, workflow.id, recurrence, _form(body), now, now, body.input, body.node,
        body.overlap, body.misfire, body.misfire_window, body.paused,
    )  # fmt: skip
    puts, sends = opening(world.engine, schedule)
    try:
        await world.table.transact(puts)
    except ConditionFailed:
        return await world.engine.schedules.get(workspace, identifier)
    await world.queue.send(sends)
    return await world.engine.schedules.get(workspace, identifier)


async def replaced(world: World, workspace: str, identifier: str, body: ReplaceSchedule, revision: str | None) -> Found:
    """Raises, as `changed` does, `NotFound`, `Invalid`, and `Outdated` when it is not of this revision any more."""
    recurrence = checked(body)

    def change(schedule: Schedule) -> Schedule:
        return _with(replace(schedule, name=body.name, input=body.input, node=body.node), body, recurrence)

    return await _change(world, workspace, identifier, change, revision)


async def changed(world: World, workspace: str, identifier: str, body: ChangeSchedule, revision: str | None) -> Found:
    given = {name: getattr(body, name) for name in body.model_fields_set}

    def change(schedule: Schedule) -> Schedule:
        form = _merged(schedule.form, {name: given[name] for name in given if name in RecurrenceForm.model_fields})
        own = {name: given[name] for name in ("name", "input", "node") if name in given}
        own["name"] = own.get("name") or schedule.name
        return _with(replace(schedule, **own), form, checked(form))

    return await _change(world, workspace, identifier, change, revision)


def _merged(before: dict[str, Any], given: dict[str, Any]) -> RecurrenceForm:
    """A rule takes the place of the one before."""
    if any(given.get(rule) is not None for rule in _RULES):
        before = {name: value for name, value in before.items() if name not in (*_RULES, "anchor")}
    merged = {**before, **given}
    try:
        return RecurrenceForm.model_validate({name: value for name, value in merged.items() if value is not None})
    except ValidationError as error:
        raise Invalid("The schedule", list(schema_faults(error, "$.body"))) from None


def _with(schedule: Schedule, form: RecurrenceForm, recurrence: Recurrence) -> Schedule:
    return replace(
        schedule,
        recurrence=recurrence,
        form=_form(form),
        overlap=form.overlap,
        misfire=form.misfire,
        misfire_window=form.misfire_window,
    )


async def paused(world: World, workspace: str, identifier: str, paused: bool) -> Found:
    """Resumed, it goes on from now: what was due meanwhile was not missed, but not wanted."""
    return await _change(world, workspace, identifier, lambda schedule: replace(schedule, paused=paused), None)


async def _change(world: World, workspace: str, identifier: str, change: Change, revision: str | None) -> Found:
    while True:
        found = await world.engine.schedules.get(workspace, identifier)
        before = found.schedule
        if revision is not None and revision.strip().removeprefix("W/").strip('"') != str(before.revision):
            raise Outdated("schedule", before.revision)
        now = world.clock.now()
        schedule = replace(change(before), updated_at=now, revision=before.revision + 1)
        if schedule.node != before.node:
            await _check_node(world, workspace, schedule.workflow, schedule.node)
        standing, sends = announced(world.engine, schedule, _moved(found, schedule, now))
        if await world.engine.schedules.change(found, schedule, standing):
            await world.queue.send(sends)
            return await world.engine.schedules.get(workspace, identifier)


def _moved(found: Found, schedule: Schedule, now: float) -> Standing:
    """Where it stands after the change: a new recurrence, or one that was paused, goes on from now."""
    standing = found.standing
    anew = schedule.recurrence != found.schedule.recurrence or found.schedule.paused != schedule.paused
    due = next_due(schedule.recurrence, now) if anew else standing.due
    return replace(standing, due=due, waiting=standing.waiting if schedule.overlap == "queue" else ())


async def triggered(world: World, workspace: str, identifier: str, key: str | None) -> str:
    return await trigger_now(world.engine, await world.engine.schedules.get(workspace, identifier), key)


async def backfilled(world: World, workspace: str, identifier: str, body: Backfill) -> list[tuple[int, str, bool]]:
    """Raises `Conflict` when the range holds too many moments. Doing it again starts what is not there yet."""
    found, now = await world.engine.schedules.get(workspace, identifier), world.clock.now()
    if body.until < body.begin or body.until.timestamp() > now:
        fault = Fault("$.body.to", "bad_range", "A backfill is for the past: from ≤ to ≤ now.")
        raise Invalid("The range", [fault])
    moments = to_backfill(found.schedule, max(0.0, body.begin.timestamp()), body.until.timestamp())
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(due: int) -> tuple[int, str, bool]:
        async with gate:
            execution, new = await backfill(world.engine, found.schedule, due)
            return due, execution, new

    return list(await asyncio.gather(*(one(due) for due in moments)))


async def _check_node(world: World, workspace: str, workflow_id: str, node: str | None) -> None:
    """Raises `Invalid` unless the workflow has such a trigger."""
    if node is None:
        return
    workflow = await world.engine.workflows.get(workspace, workflow_id)
    graphs = world.engine.programs.of(await world.engine.workflows.current(workflow)).root.states.values()
    triggers = {
        name for graph in graphs if isinstance(graph, Graph) for name, one in graph.nodes.items() if one.trigger
    }
    if node not in triggers:
        known = ", ".join(sorted(triggers)) or "none"
        fault = Fault("$.body.node", "unknown_trigger", f"The workflow has no trigger '{node}'; it has {known}.")
        raise Invalid("The schedule", [fault])


def _form(form: RecurrenceForm) -> dict[str, Any]:
    return RecurrenceForm.model_validate(form.model_dump(include=set(RecurrenceForm.model_fields))).model_dump(
        mode="json", exclude_none=True
    )
