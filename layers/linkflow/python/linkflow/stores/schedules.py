"""Schedules: one item with what people made of it, one with where it stands.

The first changes when people change it, and is what lists show. The second changes with every firing, always on the
condition that nobody else changed it since it was read, which is what makes each due moment fire once: a firing is
decided by whoever writes it down first. It alone is in the index by which the timer finds what is due.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from linkflow.errors import Broken, ConditionFailed, NotFound
from linkflow.language.json import Json
from linkflow.language.recurrence.form import Misfire, Overlap
from linkflow.language.recurrence.recurrence import Recurrence, fires_at
from linkflow.ports import Absent, Delete, Index, Item, Key, Put, Range, Send, Table, Unchanged
from linkflow.stores import index_keys, keys
from linkflow.stores.records import decode, encode


class Schedule(msgspec.Struct, frozen=True, omit_defaults=True):
    """`form` is the recurrence as it was written, `node` the trigger at which a graph starts (None: as by hand).
    `revision` counts the changes that people made."""

    workspace: str
    id: str
    name: str
    workflow: str
    recurrence: Recurrence
    form: dict[str, Any]
    created_at: float
    updated_at: float
    input: Json = None
    node: str | None = None
    overlap: Overlap = "allow"
    misfire: Misfire = "one"
    misfire_window: int = 86_400
    paused: bool = False
    revision: int = 1
    origin: Literal["api", "workflow"] = "api"


class Firing(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a due moment at the moment `at`: an execution, or why not (`skipped`). Moments that were missed
    together are one entry, from `due` to `until`."""

    due: int
    at: float
    execution: str | None = None
    skipped: str = ""
    until: int | None = None


class Owed(msgspec.Struct, frozen=True, omit_defaults=True):
    """A start that was decided and may not have been carried out yet, and what is to be cancelled before it."""

    due: int
    at: float
    execution: str
    cancel: tuple[str, ...] = ()


class Standing(msgspec.Struct, frozen=True, omit_defaults=True):
    """`due` is the first moment that nothing was decided about, `waiting` are those that wait for an execution to end,
    `running` the executions that may be open (kept where that matters), `log` the last results, newest last;
    `announced` the moment for which a message is under way."""

    due: int | None = None
    owed: tuple[Owed, ...] = ()
    waiting: tuple[int, ...] = ()
    running: tuple[str, ...] = ()
    log: tuple[Firing, ...] = ()
    announced: float | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A schedule and where it stands; `version` is that of the standing's item, `indexed` the moment at which
    the index has it."""

    schedule: Schedule
    standing: Standing
    version: int
    indexed: float | None


@dataclass(frozen=True, slots=True)
class DueEntry:
    workspace: str
    schedule: str
    moment: float
    announced: float | None


@dataclass(frozen=True, slots=True)
class Schedules:
    table: Table

    def creation(self, schedule: Schedule, standing: Standing) -> Sequence[Put]:
        """What must be written, all or nothing, for a new schedule."""
        return [
            Put(_schedule_item(schedule), Absent()),
            Put(_standing_item(schedule, standing, 1, _moment(schedule, standing)), Absent()),
        ]

    async def get(self, workspace: str, identifier: str) -> Found:
        """Raises `NotFound`."""
        page = await self.table.query(keys.schedule_whole(workspace, identifier))
        items = {item.key: item for item in page.items}
        made = items.get(keys.schedule(workspace, identifier))
        stands = items.get(keys.standing(workspace, identifier))
        if made is None:
            raise NotFound("schedule", identifier)
        if stands is None:
            raise Broken(f"The schedule {identifier} stands nowhere.")
        due = stands.indexes.get(Index.DUE)
        indexed = index_keys.due_moment(due.sk) if due else None
        return Found(decode(made.body, Schedule), decode(stands.body, Standing), stands.version, indexed)

    async def advance(
        self, found: Found, standing: Standing, sends: Sequence[Send] = (), *, keep_due: bool = False
    ) -> bool:
        """Where the schedule stands from now on; False: somebody else changed it. `keep_due` leaves it among what is
        due, so that it is looked at again should this process die before it has done what it decided."""
        moment = found.indexed if keep_due else _moment(found.schedule, standing)
        item = _standing_item(found.schedule, standing, found.version + 1, moment)
        try:
            return await self.table.put(item, Unchanged(found.version), sends) is None
        except ConditionFailed:
            return False  # it was deleted

    async def change(self, found: Found, schedule: Schedule, standing: Standing) -> bool:
        """What people changed, and where it stands after it. False: it changed meanwhile."""
        stands = _standing_item(schedule, standing, found.version + 1, _moment(schedule, standing))
        try:
            await self.table.transact([Put(_schedule_item(schedule)), Put(stands, Unchanged(found.version))])
        except ConditionFailed:
            return False
        return True

    async def delete(self, workspace: str, identifier: str) -> None:
        """Raises `NotFound`."""
        await self.get(workspace, identifier)
        await self.table.transact(
            [Delete(keys.schedule(workspace, identifier)), Delete(keys.standing(workspace, identifier))]
        )

    async def listed(self, workspace: str, limit: int, cursor: str | None) -> tuple[Sequence[Schedule], str | None]:
        """By name."""
        where = Range(index_keys.listed_schedules(workspace), index=Index.LISTING, limit=limit, after=cursor)
        page = await self.table.query(where)
        return [decode(item.body, Schedule) for item in page.items], page.cursor

    async def due(
        self, shard: int, until: float, limit: int, cursor: str | None
    ) -> tuple[Sequence[DueEntry], str | None]:
        """What is to be looked at by the moment `until`."""
        where = Range(
            index_keys.schedules_due(shard),
            last=index_keys.due_until(until),
            index=Index.DUE,
            limit=limit,
            after=cursor,
        )
        page = await self.table.query(where)
        return [_due_entry(item) for item in page.items], page.cursor


def next_look(schedule: Schedule, standing: Standing) -> float | None:
    """When the next due moment fires, seconds since 1970."""
    if schedule.paused or standing.due is None:
        return None
    return fires_at(schedule.recurrence, schedule.id, standing.due)


def _moment(schedule: Schedule, standing: Standing) -> float | None:
    """When the timer must look at it; what waits or is owed is looked at with every sweep."""
    if standing.owed or (standing.waiting and not schedule.paused):
        return 0.0
    return next_look(schedule, standing)


def _schedule_item(schedule: Schedule) -> Item:
    listing = Key(
        index_keys.listed_schedules(schedule.workspace), index_keys.listed_workflow(schedule.name, schedule.id)
    )
    return Item(keys.schedule(schedule.workspace, schedule.id), encode(schedule), indexes={Index.LISTING: listing})


def _standing_item(schedule: Schedule, standing: Standing, version: int, moment: float | None) -> Item:
    indexes = {}
    if moment is not None:
        shard = zlib.crc32(schedule.id.encode()) % index_keys.DUE_SHARDS
        due_at = index_keys.due_at(moment, schedule.workspace, schedule.id)
        indexes[Index.DUE] = Key(index_keys.schedules_due(shard), due_at)
    return Item(keys.standing(schedule.workspace, schedule.id), encode(standing), None, version, indexes)


def _due_entry(item: Item) -> DueEntry:
    sk = item.indexes[Index.DUE].sk
    workspace, schedule = index_keys.due_target(sk)
    return DueEntry(workspace, schedule, index_keys.due_moment(sk), decode(item.body, Standing).announced)
