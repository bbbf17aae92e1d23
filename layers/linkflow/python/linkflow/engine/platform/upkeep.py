"""The verbs of `retention` and of `dead_letter_redrive`: a batch of what is due, a batch of what died.

What they do is made of verbs that bear repetition (`engine/retention.py`, `engine/dead_letters.py`); here they are cut
into tasks of bounded size.
"""

import contextlib
from typing import Final

import msgspec
from msgspec.structs import replace

from linkflow.engine.dead_letters import Wanted, listed, redrive
from linkflow.engine.engine import Call, Engine, Told
from linkflow.engine.platform.system import SYSTEM, begin_named
from linkflow.engine.platform.verb import Verb, answered
from linkflow.engine.retention import archive_batch, expire_batch, next_batch
from linkflow.errors import NotFound
from linkflow.stores.archive import Archive, Retention
from linkflow.stores.operations import Operation, finished

RETENTION: Final = "retention"
REDRIVE: Final = "dead_letter_redrive"
BATCH = 25
PATIENCE = 120.0
"""Seconds that one task takes for one batch of the archive; a larger one is gone on with by the next."""
OWN_DAYS = 30
_DAY = 86_400.0


class _Progress(msgspec.Struct, frozen=True):
    cursor: str | None = None


class _Kept(msgspec.Struct, frozen=True):
    workspace: str
    now: float
    progress: _Progress = _Progress()


class _Died(msgspec.Struct, frozen=True):
    operation: Operation


async def keep(engine: Engine, workspace: str, now: float) -> None:
    """Begin the day's retention of a workspace; asked twice on one day, by whomever, it is one. What the platform's own
    executions hold is other workspaces' data: it goes for good, as the log of deliveries does."""
    if workspace == SYSTEM:
        await Archive(engine.table, engine.blobs).set_retention(SYSTEM, Retention(days=OWN_DAYS, archive=False))
    day = now // _DAY * _DAY
    await begin_named(engine, RETENTION, {"workspace": workspace, "now": now}, day, workspace)


async def retain(engine: Engine, call: Call) -> Told:
    """Archive a batch of what is due."""
    given = msgspec.convert(call.task.arguments, _Kept)
    following = await next_batch(engine, given.workspace, given.now, given.progress.cursor)
    if following.batch is not None:
        until = engine.clock.now() + PATIENCE
        while not await archive_batch(engine, given.workspace, following.batch) and engine.clock.now() < until:
            continue
    more = following.batch is not None or following.cursor is not None
    return answered(engine, call, {"more": more, "cursor": following.cursor, "batch": following.batch})


async def expire(engine: Engine, call: Call) -> Told:
    """Remove the oldest batch of the archive, if its time is over."""
    given = msgspec.convert(call.task.arguments, _Kept)
    return answered(engine, call, {"more": await expire_batch(engine, given.workspace, given.now)})


async def revive(engine: Engine, call: Call) -> Told:
    """Send some dead letters again: those that had died when the operation was asked for."""
    asked = msgspec.convert(call.task.arguments, _Died).operation
    operation = await engine.operations.open(asked)
    if operation.status != "running":
        return answered(engine, call, {"more": False, "seen": operation.seen})
    wanted = Wanted(operation.workspace, operation.stage or None)
    letters, cursor = await listed(engine, wanted, BATCH, operation.cursor)
    ours = [letter.id for letter in letters if letter.died_at <= operation.created_at]
    sent = 0
    for identifier in ours:
        with contextlib.suppress(NotFound):
            sent += await redrive(engine, Wanted(operation.workspace, ids=(identifier,)))
    now = engine.clock.now()

    def counted(found: Operation) -> Operation:
        further = replace(found, cursor=cursor, done=found.done + sent, skipped=found.skipped + len(ours) - sent)
        return further if cursor is not None else finished(further, "done", now)

    standing = await engine.operations.change(operation.workspace, operation.id, counted, now)
    return answered(engine, call, {"more": standing.status == "running", "seen": standing.seen})


VERBS: dict[str, Verb] = {"retain_executions": retain, "expire_archive": expire, "revive_dead_letters": revive}
