"""Summaries: one item per execution, written when it opens and when it closes (and when the watchdog moves on)."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from linkflow.execution.state import State
from linkflow.ports import Absent, Index, Item, Key, Range, Send, Table, Unchanged
from linkflow.stores import keys
from linkflow.stores.records import Summary, decode, encode

Wanted = Callable[[Summary], bool]
_SCANNED = 200
"""Summaries that one read of a list takes."""


@dataclass(frozen=True, slots=True)
class Listed:
    summaries: list[Summary]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Summaries:
    table: Table

    async def open(self, summary: Summary, opening: bytes, sends: tuple[Send, ...] = ()) -> bool:
        """Begin an execution, durably. False: it began before (and nothing is sent)."""
        return await self.table.put(_item(summary, opening, 1), Absent(), sends) is None

    async def get(self, workspace: str, execution: str) -> Summary | None:
        item = await self.table.get(keys.summary(workspace, execution))
        return decode(item.body, Summary) if item else None

    async def close(self, workspace: str, execution: str, state: State) -> None:
        """Write down how it ended; repeating it changes nothing."""
        item = await self.table.get(keys.summary(workspace, execution))
        if item is None:
            return
        error = state.failure.error if state.failure else None
        closed = replace(
            decode(item.body, Summary),
            status=state.status,
            closed_at=state.closed_at,
            error=error,
            check_at=None,
        )
        await self.table.put(_item(closed, item.payload, item.version + 1))

    async def check_again(self, workspace: str, execution: str, moment: float) -> None:
        """The watchdog looks at this execution again at `moment`, unless it closes before."""
        item = await self.table.get(keys.summary(workspace, execution))
        if item is None:
            return
        summary = decode(item.body, Summary)
        if summary.status == "running":
            moved = _item(replace(summary, check_at=moment), item.payload, item.version + 1)
            await self.table.put(moved, Unchanged(item.version))

    async def due(self, shard: int, now: float, limit: int) -> list[tuple[str, str]]:
        """(workspace, execution) of what the watchdog must look at by `now`."""
        where = Range(keys.due(shard), last=keys.due_until(now), index=Index.DUE, limit=limit)
        page = await self.table.query(where)
        return [keys.due_target(item.indexes[Index.DUE].sk) for item in page.items]

    async def listed(self, workspace: str, limit: int, cursor: str | None, wanted: Wanted) -> Listed:
        """The executions of a workspace that are `wanted`, newest first. Reads on until the page is full, so that a
        filter that fits little does not give empty pages."""
        partition, before = keys.listed_executions(workspace), cursor
        kept: list[Summary] = []
        while True:
            last = {} if before is None else {"last": before}
            page = await self.table.query(Range(partition, **last, index=Index.LISTING, reverse=True, limit=_SCANNED))
            items = [item for item in page.items if item.indexes[Index.LISTING].sk != before]
            for item in items:
                before = item.indexes[Index.LISTING].sk
                summary = decode(item.body, Summary)
                if wanted(summary):
                    kept.append(summary)
                if len(kept) == limit:
                    return Listed(kept, before)
            if page.cursor is None or not items:
                return Listed(kept, None)


def _item(summary: Summary, opening: bytes | None, version: int) -> Item:
    workspace, execution = summary.workspace, summary.execution
    indexes = {
        Index.LISTING: Key(keys.listed_executions(workspace), keys.listed_execution(summary.started_at, execution))
    }
    if summary.check_at is not None:
        shard = zlib.crc32(execution.encode()) % keys.DUE_SHARDS
        indexes[Index.DUE] = Key(keys.due(shard), keys.due_at(summary.check_at, workspace, execution))
    return Item(keys.summary(workspace, execution), encode(summary), opening, version, indexes)
