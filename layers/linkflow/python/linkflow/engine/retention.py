"""Retention: closed executions leave the table after some days, and go to the archive, or go for good.

    next_batch     finds some, writes their books to one blob, then the record of the batch
    archive_batch  their summaries say where they are now; then turns and blobs are removed; then the batch is done
    expire_batch   the oldest batch of the archive goes, if it is older than the archive keeps

Each call is bounded and may be repeated. What dies in between is gone on with: a batch that is not done comes first.
Nothing is removed whose summary does not name a blob that was written before; whoever changed a summary meanwhile has
its execution left alone. Open executions stay, and so do those that an open parent may still ask for their result.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from linkflow.engine.engine import Engine
from linkflow.errors import ConditionFailed
from linkflow.ports import Item, Unchanged
from linkflow.search import Query, Span
from linkflow.stores import index_keys, keys
from linkflow.stores.archive import Archive, Batch, Entry, Retention, packed
from linkflow.stores.catalogue import facets_of
from linkflow.stores.records import Archived, Summary, decode

DAY = 86_400.0
MOST = 50
"""Executions of one batch."""
HEAVIEST = 4 * 1024 * 1024
"""Bytes of compressed books with which a batch is full, though it holds one book at least."""
MOST_REMOVED = 2_000
"""Turns that one call removes."""
_AT_ONCE = 25


@dataclass(frozen=True, slots=True)
class Next:
    """The batch to archive, if there is one, and where to look on; both None: nothing more is due."""

    batch: str | None
    cursor: str | None


async def next_batch(engine: Engine, workspace: str, now: float, cursor: str | None = None) -> Next:
    archive = _archive(engine)
    undone = await archive.undone(workspace)
    if undone is not None:
        return Next(undone.id, cursor)
    policy = await archive.retention(workspace)
    if not policy.shortest:
        return Next(None, None)
    closed = Span(last=now - policy.shortest * DAY)
    query = Query(index_keys.listed_executions(workspace), closed=closed, parts=True, descending=False)
    found = await engine.summaries.search(query, MOST, cursor)
    due = [one for one in found.summaries if _is_due(policy, one, now)]
    waited_for = await _waited_for(engine, workspace, due)
    due = [one for one in due if one.parent not in waited_for]
    if not due:
        return Next(None, found.cursor)
    batch, whole = await _written(engine, archive, workspace, due, now, archives=policy.archive)
    await archive.begin(workspace, batch)
    return Next(batch.id, found.cursor if whole else cursor)


async def archive_batch(engine: Engine, workspace: str, identifier: str) -> bool:
    """Whether the batch is done; otherwise call again."""
    archive = _archive(engine)
    batch = await archive.batch(workspace, identifier)
    if batch is None or batch.done:
        return True
    left = MOST_REMOVED
    for entry in batch.entries:
        if not await _has_left(engine, workspace, batch, entry):
            continue
        left -= await _emptied(engine, workspace, entry, left)
        if left <= 0:
            return False
    await archive.end(workspace, batch)
    return True


async def expire_batch(engine: Engine, workspace: str, now: float) -> bool:
    """Whether one went, so that there may be more."""
    archive = _archive(engine)
    days, batch = (await archive.retention(workspace)).archive_days, await archive.oldest(workspace)
    if not days or batch is None or not batch.done or batch.at > now - days * DAY:
        return False
    for entry in batch.entries:
        item = await engine.table.get(keys.summary(workspace, entry.execution))
        if item is not None and _is_in(batch, item):
            await _delete_summary(engine, item)
    await archive.drop(workspace, batch)
    return True


async def sweep(engine: Engine, workspace: str, now: float, until: float) -> int:
    """Everything that is due in the workspace, as far as time allows (until the moment `until`); how many batches."""
    batches, cursor = 0, None
    while engine.clock.now() < until:
        following = await next_batch(engine, workspace, now, cursor)
        if following.batch is not None:
            while engine.clock.now() < until and not await archive_batch(engine, workspace, following.batch):
                continue
            batches += 1
        elif following.cursor is None:
            break
        cursor = following.cursor
    while engine.clock.now() < until and await expire_batch(engine, workspace, now):
        continue
    return batches


def _archive(engine: Engine) -> Archive:
    return Archive(engine.table, engine.blobs)


def _is_due(policy: Retention, one: Summary, now: float) -> bool:
    days = policy.of(one.workflow)
    return days > 0 and one.closed_at is not None and one.closed_at <= now - days * DAY


async def _waited_for(engine: Engine, workspace: str, ones: Sequence[Summary]) -> set[str]:
    """The parents that are still open."""
    parents = sorted({one.parent for one in ones if one.parent})
    found = await asyncio.gather(*(engine.summaries.get(workspace, parent) for parent in parents))
    return {one.execution for one in found if one is not None and one.status == "running"}


async def _written(
    engine: Engine, archive: Archive, workspace: str, due: Sequence[Summary], now: float, *, archives: bool
) -> tuple[Batch, bool]:
    """The batch, its blob written; whether all that are `due` are in it."""
    entries: list[Entry] = []
    pieces: list[bytes] = []
    start = 0
    for one in due:
        item = await engine.table.get(keys.summary(workspace, one.execution))
        if item is None or decode(item.body, Summary) != one:
            continue  # (somebody changed it just now: it is looked at again tomorrow)
        turns = await engine.books.whole(workspace, one.execution)
        piece = packed(one, turns) if archives else b""
        opening = engine.books.spilled(item)
        last = turns[-1].number if turns else 0
        entries.append(Entry(one.execution, item.version, start, len(piece), last, opening[0] if opening else ""))
        pieces.append(piece)
        start += len(piece)
        if start >= HEAVIEST:
            break
    blob = await archive.put(workspace, now, pieces) if archives and pieces else ""
    identifier = keys.batch_name(now, blob.rpartition("/")[2][:16] or (entries[0].execution if entries else ""))
    return Batch(identifier, now, tuple(entries), blob), len(entries) == len(due)


async def _has_left(engine: Engine, workspace: str, batch: Batch, entry: Entry) -> bool:
    """Whether the book may go: its summary says where it is now, or is gone as it should."""
    item = await engine.table.get(keys.summary(workspace, entry.execution))
    if item is None:
        return not batch.blob
    if item.version != entry.version:
        return _is_in(batch, item)
    if not batch.blob:
        return await _delete_summary(engine, item)
    where = Archived(batch.blob, entry.start, entry.size, entry.turns, batch.at)
    return await engine.summaries.archive(item, where)


def _is_in(batch: Batch, item: Item) -> bool:
    archived = decode(item.body, Summary).archived
    return archived is not None and archived.blob == batch.blob


async def _delete_summary(engine: Engine, item: Item) -> bool:
    """False: somebody changed it."""
    try:
        await engine.table.delete(item.key, Unchanged(item.version))
    except ConditionFailed:
        return False
    await engine.summaries.catalogue.forget(facets_of(decode(item.body, Summary)))
    return True


async def _emptied(engine: Engine, workspace: str, entry: Entry, most: int) -> int:
    """Remove the turns, first to last, each after what it had spilled, `most` of them; how many."""
    removed = 0
    if entry.opening:
        await engine.blobs.delete(entry.opening)
    where = keys.turns_behind(workspace, entry.execution, 0, _AT_ONCE)
    while removed < most and (items := (await engine.table.query(where)).items):
        await asyncio.gather(*(_remove(engine, item) for item in items))
        removed += len(items)
    return removed


async def _remove(engine: Engine, item: Item) -> None:
    for name in engine.books.spilled(item):
        await engine.blobs.delete(name)
    await engine.table.delete(item.key)
