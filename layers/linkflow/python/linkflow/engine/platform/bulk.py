"""The verbs of `bulk_operation`: one batch of executions that a query finds, and owning up to have failed.

A batch ends with one conditional write of its counts and of where the next one begins. A process that dies before it
does the batch again: what was cancelled is over by then and is not found or counted as skipped, what was taken up again
is found under the id that follows from the operation's. An operation that was called off stops with its next batch.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from msgspec.structs import replace

from linkflow import ids
from linkflow.engine.cancel import cancel, terminate
from linkflow.engine.engine import Call, Engine, Told
from linkflow.engine.histories import all_turns
from linkflow.engine.platform.system import run
from linkflow.engine.platform.verb import Verb, answered
from linkflow.engine.resets import Reset, reset
from linkflow.errors import Conflict, NotFound, Refused
from linkflow.execution.timeline import timeline
from linkflow.stores.operations import EXAMPLES, Operation, Trouble, finished
from linkflow.stores.records import Summary

MACHINE: Final = "bulk_operation"
BATCH = 50
"""Executions that one task sees to."""
_AT_ONCE = 10

Act = Callable[[Engine, Operation, Summary], Awaitable[None]]


class _Given(msgspec.Struct, frozen=True):
    operation: Operation


async def begin(engine: Engine, operation: Operation, machine: str = MACHINE) -> Operation:
    """Its process begins first and brings the operation with it, so there is never one without the other."""
    await run(engine, machine, {"operation": msgspec.to_builtins(operation)}, process_id(operation.id))
    return await engine.operations.open(operation)


def process_id(operation: str) -> str:
    return ids.derived(ids.EXECUTION, operation, "run")


async def batch(engine: Engine, call: Call) -> Told:
    asked = msgspec.convert(call.task.arguments, _Given).operation
    operation = await engine.operations.open(asked)
    if operation.status != "running" or operation.query is None:
        return answered(engine, call, {"more": False, "seen": operation.seen})
    page = await engine.summaries.search(operation.query, BATCH, operation.cursor)
    slots = asyncio.Semaphore(_AT_ONCE)
    outcomes = await asyncio.gather(*(_outcome(engine, operation, one, slots) for one in page.summaries))
    now = engine.clock.now()

    def counted(found: Operation) -> Operation:
        if found.cursor != operation.cursor or found.seen != operation.seen:
            return found  # another process did this batch
        counts = Counter(outcome if isinstance(outcome, str) else "failed" for outcome in outcomes)
        troubles = [outcome for outcome in outcomes if isinstance(outcome, Trouble)]
        further = replace(
            found,
            cursor=page.cursor,
            done=found.done + counts["done"],
            skipped=found.skipped + counts["skipped"],
            failed=found.failed + counts["failed"],
            troubles=(*found.troubles, *troubles)[:EXAMPLES],
        )
        return further if page.cursor is not None else finished(further, "done", now)

    now_standing = await engine.operations.change(operation.workspace, operation.id, counted, now)
    return answered(engine, call, {"more": now_standing.status == "running", "seen": now_standing.seen})


async def own_up(engine: Engine, call: Call) -> Told:
    """The process could not go on: say so, and why."""
    asked = msgspec.convert(call.task.arguments, _Given).operation
    failure = call.task.arguments.get("failure") or {}
    said = str(failure.get("Cause") or failure.get("Error") or "")
    now = engine.clock.now()

    def failed(found: Operation) -> Operation:
        return finished(replace(found, troubles=(*found.troubles, Trouble("", said))[:EXAMPLES]), "failed", now)

    await engine.operations.open(asked)
    await engine.operations.change(asked.workspace, asked.id, failed, now)
    return answered(engine, call, {"status": "failed"})


async def _outcome(engine: Engine, operation: Operation, one: Summary, slots: asyncio.Semaphore) -> str | Trouble:
    async with slots:
        try:
            await _ACTS[operation.action](engine, operation, one)
        except (NotFound, Conflict):
            return "skipped"
        except Refused as error:
            return Trouble(one.execution, error.message)
    return "done"


async def _cancel(engine: Engine, operation: Operation, one: Summary) -> None:
    await cancel(engine, one.workspace, one.execution, operation.by, operation.reason, operation.id)


async def _terminate(engine: Engine, operation: Operation, one: Summary) -> None:
    await terminate(engine, one.workspace, one.execution, operation.by, operation.reason)


async def _retry(engine: Engine, operation: Operation, one: Summary) -> None:
    """Take it up again from where it failed, or from its beginning. Raises `Conflict` for one that is open, that
    succeeded, or that somebody took up already."""
    ours = ids.derived(ids.EXECUTION, one.execution, f"reset/{operation.id}")
    if one.status in ("running", "succeeded", "continued") or one.reset_to not in ("", ours):
        raise Conflict("There is nothing to take up again.")
    turns = await all_turns(engine, one.workspace, one.execution)
    _, entries = timeline((each.turn.at, each.turn.events) for each in turns)
    node = next((entry.node for entry in reversed(entries) if entry.status == "failed"), None)
    turn = 0 if node is None else None
    wish = Reset(turn, None, node, by=operation.by, reason=operation.reason, key=operation.id)
    await reset(engine, one.workspace, one.execution, wish)


_ACTS: Final[dict[str, Act]] = {"cancel": _cancel, "terminate": _terminate, "retry": _retry}

VERBS: dict[str, Verb] = {"bulk_batch": batch, "bulk_failed": own_up}
