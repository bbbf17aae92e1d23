"""Summaries: one item per execution, written when it opens and when it closes. One that waits is in the watchdog's
index meanwhile, which is a write more each time it moves there."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace as replace_query

from msgspec.structs import replace

from linkflow.execution.state import State
from linkflow.ports import CLOCKS_APART, Absent, Index, Item, Key, Put, Range, Send, Table, Unchanged
from linkflow.search import Catalogue, Cells, Query, fits
from linkflow.stores import index_keys, keys
from linkflow.stores.catalogue import cell_of, facets_of, shelf_of
from linkflow.stores.records import Archived, Claim, Summary, decode, encode


@dataclass(frozen=True, slots=True)
class Listed:
    summaries: list[Summary]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Summaries:
    table: Table
    catalogue: Catalogue

    async def open(self, summary: Summary, opening: bytes, sends: tuple[Send, ...] = ()) -> bool:
        """Begin an execution, durably. False: it began before (and nothing is sent)."""
        item = _item(summary, opening, 1)
        if item.facets is not None:
            await self.catalogue.announce(item.facets)
        return await self.table.put(item, Absent(), sends) is None

    async def open_with_claim(
        self, summary: Summary, opening: bytes, held: Item | None, also: Sequence[Put] = ()
    ) -> None:
        """Begin an execution and give it its business key, which nobody has (None) or another may lose; and write what
        belongs to it `also`. Raises `ConditionFailed` when the execution began before, or the key changed hands."""
        claim = Item(
            keys.claim(summary.workspace, summary.workflow, summary.business_key),
            encode(Claim(summary.execution)),
            version=1 if held is None else held.version + 1,
        )
        await self.catalogue.announce(facets_of(summary))
        when = Absent() if held is None else Unchanged(held.version)
        await self.table.transact([Put(_item(summary, opening, 1), Absent()), Put(claim, when), *also])

    async def item(self, workspace: str, execution: str) -> Item | None:
        return await self.table.get(keys.summary(workspace, execution))

    async def get(self, workspace: str, execution: str) -> Summary | None:
        item = await self.item(workspace, execution)
        return decode(item.body, Summary) if item else None

    async def close(self, workspace: str, execution: str, state: State, known: Item | None = None) -> Summary | None:
        """Write down how it ended; repeating it changes nothing. `known` is the summary's item as it was seen before,
        which saves a look. Whoever else writes meanwhile (the watchdog moves `check_at`) makes this look again, so that
        nobody's fields are lost. None: there is no such execution."""
        item = known or await self.table.get(keys.summary(workspace, execution))
        error = state.failure.error if state.failure else None
        closed = None
        while item is not None:
            found = decode(item.body, Summary)
            closed = replace(found, status=state.status, closed_at=state.closed_at, error=error, check_at=None)
            if closed == found:
                break
            item = await self.table.put(_item(closed, item.payload, item.version + 1), Unchanged(item.version))
        return closed

    async def archive(self, item: Item, where: Archived) -> bool:
        """The execution is in the archive from here on, and its opening with it. False: somebody changed the item."""
        archived = replace(decode(item.body, Summary), archived=where)
        return await self.table.put(_item(archived, None, item.version + 1), Unchanged(item.version)) is None

    async def replaced(self, workspace: str, execution: str, by: str) -> None:
        """Another execution took this one up again."""
        item = await self.table.get(keys.summary(workspace, execution))
        while item is not None and (summary := decode(item.body, Summary)).reset_to != by:
            linked = _item(replace(summary, reset_to=by), item.payload, item.version + 1)
            item = await self.table.put(linked, Unchanged(item.version))

    async def check_again(self, known: Item, moment: float) -> None:
        """The watchdog looks at this execution again at `moment`, unless it closes before, or somebody else decided
        since its item was `known`: that must be read before the book from which the moment follows."""
        if (moved := _to_be_checked(known, moment)) is not None:
            await self.table.put(moved, Unchanged(known.version))

    async def check_by(
        self, workspace: str, execution: str, moment: float, now: float, known: Item | None = None
    ) -> None:
        """The watchdog looks at this execution by `moment` at the latest, unless it closes before. `known` as in
        `close`. What is due is written anew: the watchdog may be looking at this moment, at what was before."""
        item = known or await self.table.get(keys.summary(workspace, execution))
        while item is not None:
            check_at = decode(item.body, Summary).check_at
            stands = check_at is not None and now + CLOCKS_APART < check_at <= moment
            moved = None if stands else _to_be_checked(item, moment)
            if moved is None:
                return
            item = await self.table.put(moved, Unchanged(item.version))

    async def due(self, shard: int, now: float, limit: int) -> list[tuple[str, str]]:
        """(workspace, execution) of what the watchdog must look at by `now`."""
        where = Range(index_keys.due(shard), last=index_keys.due_until(now), index=Index.DUE, limit=limit)
        page = await self.table.query(where)
        return [index_keys.due_target(item.indexes[Index.DUE].sk) for item in page.items]

    async def search(self, query: Query, limit: int, cursor: str | None = None, only: str | None = None) -> Listed:
        """What fits the query; `only` the execution of that id, if it does. Raises `Invalid` for a wrong cursor."""
        if only is not None:
            one = await self._one(query, only)
            return Listed([] if one is None else [one], None)
        found = await self.catalogue.search(query, limit, cursor)
        return Listed([decode(body, Summary) for body in found.bodies], found.cursor)

    async def count(
        self, query: Query, bucket: float | None = None, cursor: str | None = None, only: str | None = None
    ) -> Cells:
        if only is None:
            return await self.catalogue.count(query, bucket, cursor)
        one = await self._one(query, only)
        return Cells([] if one is None else [cell_of(facets_of(one), bucket)])

    async def _one(self, query: Query, execution: str) -> Summary | None:
        """Who names a part of a Map by its id need not ask for parts."""
        one = await self.get(index_keys.workspace_of(query.shelf), execution)
        if one is None:
            return None
        asked = replace_query(query, trigger=query.trigger or one.trigger)
        return one if fits(asked, facets_of(one)) else None

    async def open_ones(self, shard: int, limit: int, cursor: str | None) -> tuple[list[Summary], str | None]:
        """A page of all that wait, of whatever workspace: what the watchdog is to look at one day."""
        page = await self.table.query(Range(index_keys.due(shard), index=Index.DUE, limit=limit, after=cursor))
        return [decode(item.body, Summary) for item in page.items], page.cursor


def _to_be_checked(item: Item, moment: float) -> Item | None:
    """The summary's item as it is to be; None: the execution is over."""
    summary = decode(item.body, Summary)
    if summary.status != "running":
        return None
    return _item(replace(summary, check_at=moment), item.payload, item.version + 1)


def _item(summary: Summary, opening: bytes | None, version: int) -> Item:
    workspace, execution = summary.workspace, summary.execution
    indexes = {Index.LISTING: Key(shelf_of(summary), index_keys.listed_execution(summary.started_at, execution))}
    if summary.check_at is not None:
        shard = zlib.crc32(execution.encode()) % index_keys.DUE_SHARDS
        indexes[Index.DUE] = Key(index_keys.due(shard), index_keys.due_at(summary.check_at, workspace, execution))
    key = keys.summary(workspace, execution)
    return Item(key, encode(summary), opening, version, indexes, facets=facets_of(summary))
