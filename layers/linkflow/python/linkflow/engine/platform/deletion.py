"""The verbs of `workspace_deletion`.

    close ── wait ──▶ end, batch after batch ── wait ──▶ delete, batch after batch ──▶ finish

First the workspace is held (`engine/holds.py`), so that nothing begins or goes on in it; every process knows that after
a moment. Then whatever is open is terminated, and after another moment no visit writes any more. Then everything goes:
each batch takes some of whatever is left, so dying and doing it again changes nothing. The keys go last, and with them
everybody who could look.
"""

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from linkflow.engine.cancel import terminate
from linkflow.engine.dead_letters import Wanted, listed, purge
from linkflow.engine.engine import Call, Engine, Told
from linkflow.engine.holds import Scope, hold, release
from linkflow.engine.platform.notices import process_id
from linkflow.engine.platform.system import SYSTEM
from linkflow.engine.platform.verb import Verb, answered
from linkflow.errors import Conflict, NotFound
from linkflow.search import Query
from linkflow.stores import index_keys
from linkflow.stores.controls import Hold
from linkflow.stores.erasure import Erasure
from linkflow.stores.operations import Operation, finished
from linkflow.stores.records import Summary

MACHINE: Final = "workspace_deletion"
BATCH = 25
_WHY = "The workspace is being deleted."

Take = Callable[[Engine, Operation], Awaitable[int]]


class _Given(msgspec.Struct, frozen=True):
    operation: Operation


async def close(engine: Engine, call: Call) -> Told:
    operation = await _operation(engine, call)
    now = engine.clock.now()
    held = Hold("pause", "refuse", now, operation.by, _WHY)
    await hold(engine, Scope(operation.workspace), held)
    await _count(engine, operation, "closing", 0)
    return answered(engine, call, {"stage": "closing"})


async def end(engine: Engine, call: Call) -> Told:
    """Terminate some of what is open."""
    operation = await _operation(engine, call)
    still_open = await _some(engine, index_keys.listed_executions(operation.workspace), ("running",))
    for one in still_open:
        await _end(engine, one.workspace, one.execution)
    await _count(engine, operation, "ending", 0)
    return answered(engine, call, {"stage": "ending", "more": bool(still_open)})


async def delete(engine: Engine, call: Call) -> Told:
    """Delete some of whatever is left."""
    operation = await _operation(engine, call)
    for stage, take in _STAGES.items():
        taken = await take(engine, operation)
        if taken:
            await _count(engine, operation, stage, taken)
            return answered(engine, call, {"stage": stage, "taken": taken, "more": True})
    return answered(engine, call, {"stage": "keys", "taken": 0, "more": False})


async def finish(engine: Engine, call: Call) -> Told:
    """Take away the keys, and let go of what is a workspace no more."""
    operation = await _operation(engine, call)
    while await _erasure(engine).api_keys(operation.workspace):
        continue
    await release(engine, Scope(operation.workspace))
    now = engine.clock.now()
    await engine.operations.change(
        operation.workspace, operation.id, lambda found: replace(finished(found, "done", now), stage=""), now
    )
    return answered(engine, call, {"stage": "done"})


async def _operation(engine: Engine, call: Call) -> Operation:
    return await engine.operations.open(msgspec.convert(call.task.arguments, _Given).operation)


async def _count(engine: Engine, operation: Operation, stage: str, taken: int) -> None:
    def counted(found: Operation) -> Operation:
        return replace(found, stage=stage, done=found.done + taken)

    await engine.operations.change(operation.workspace, operation.id, counted, engine.clock.now())


async def _some(engine: Engine, shelf: str, statuses: tuple[str, ...] = ()) -> Sequence[Summary]:
    """Some executions, those that work on parts of Maps too."""
    query, cursor = Query(shelf, statuses=statuses, parts=True), None
    while True:
        page = await engine.summaries.search(query, BATCH, cursor)
        cursor = page.cursor
        if page.summaries or cursor is None:
            return page.summaries


async def _executions(engine: Engine, operation: Operation) -> int:
    workspace = operation.workspace
    found = await _some(engine, index_keys.listed_executions(workspace))
    found = found or await _some(engine, index_keys.archived_executions(workspace))
    for one in found:
        await _erase(engine, one.workspace, one.execution)
    return len(found)


async def _end(engine: Engine, workspace: str, execution: str) -> None:
    """Terminate it; what is over and still listed as open is put right."""
    book = await engine.books.load(workspace, execution)
    if book is not None and book.state.closed:
        await engine.summaries.close(workspace, execution, book.state)
    elif book is not None:
        with contextlib.suppress(Conflict, NotFound):
            await terminate(engine, workspace, execution, "linkflow", _WHY)


async def _erase(engine: Engine, workspace: str, execution: str) -> bool:
    """What was opened in spite of all is ended first, and goes with a later batch: then False. (The summary says so:
    the book may have lost its end to a batch that died.)"""
    summary = await engine.summaries.get(workspace, execution)
    if summary is not None and summary.status == "running":
        await _end(engine, workspace, execution)
        return False
    await _erasure(engine).execution(workspace, execution)
    return True


async def _schedules(engine: Engine, operation: Operation) -> int:
    found, _ = await engine.schedules.listed(operation.workspace, BATCH, None)
    for schedule in found:
        with contextlib.suppress(NotFound):
            await engine.schedules.delete(operation.workspace, schedule.id)
    return len(found)


async def _callbacks(engine: Engine, operation: Operation) -> int:
    """Of one callback: what it was told, with the processes that told it, and then itself."""
    workspace = operation.workspace
    for callback in await engine.callbacks.listed(workspace):
        found, _ = await engine.deliveries.listed(workspace, callback.id, BATCH, None)
        for delivery in found:
            processes = [process_id(delivery.id, round_) for round_ in range(1, delivery.round + 1)]
            if all([await _erase(engine, SYSTEM, process) for process in processes]):
                await engine.deliveries.delete(delivery)
        if not found:
            await engine.callbacks.delete(workspace, callback.id)
        return max(1, len(found))
    return 0


async def _workflows(engine: Engine, operation: Operation) -> int:
    return await _erasure(engine).workflows(operation.workspace, BATCH)


async def _files(engine: Engine, operation: Operation) -> int:
    return await _erasure(engine).files(operation.workspace, BATCH)


async def _archive(engine: Engine, operation: Operation) -> int:
    return await _erasure(engine).archive(operation.workspace, BATCH)


async def _settings(engine: Engine, operation: Operation) -> int:
    return await _erasure(engine).settings(operation.workspace, BATCH)


async def _dead_letters(engine: Engine, operation: Operation) -> int:
    found, _ = await listed(engine, Wanted(operation.workspace), BATCH)
    with contextlib.suppress(NotFound):
        await purge(engine, Wanted(operation.workspace, ids=[letter.id for letter in found]))
    return len(found)


async def _operations(engine: Engine, operation: Operation) -> int:
    return await _erasure(engine).operations(operation.workspace, operation.id, BATCH)


def _erasure(engine: Engine) -> Erasure:
    return Erasure(engine.table, engine.blobs, engine.books, engine.summaries.catalogue)


_STAGES: Final[dict[str, Take]] = {
    "schedules": _schedules,
    "callbacks": _callbacks,
    "executions": _executions,
    "archive": _archive,
    "settings": _settings,
    "dead letters": _dead_letters,
    "workflows": _workflows,
    "files": _files,
    "operations": _operations,
}

VERBS: dict[str, Verb] = {
    "close_workspace": close,
    "end_workspace": end,
    "delete_workspace": delete,
    "finish_workspace": finish,
}
