"""The verbs of `bulk_operation`: one batch of executions that a query finds, and owning up to have failed.

A batch ends with one conditional write of its counts and of where the next one begins. A process that dies before it
does the batch again: what was cancelled is over by then and is not found or counted as skipped, what was taken up again
is found under the id that follows from the operation's. An operation that was called off stops with its next batch.

Who is to end and goes on as another meanwhile is followed there. Those that did so before the listing came to them are
in no list of open ones, and their successors began after the operation was asked for: a second listing looks for them.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace as replace_query
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from linkflow import ids
from linkflow.engine.cancel import cancel, terminate
from linkflow.engine.chain import newest
from linkflow.engine.engine import Call, Engine, Told
from linkflow.engine.histories import all_turns
from linkflow.engine.platform.system import run
from linkflow.engine.platform.verb import Verb, answered
from linkflow.engine.resets import Reset, reset
from linkflow.errors import Conflict, NotFound, Refused
from linkflow.execution.timeline import timeline
from linkflow.search import Query, Span
from linkflow.stores.operations import EXAMPLES, Operation, Trouble, finished
from linkflow.stores.records import Summary

MACHINE: Final = "bulk_operation"
BATCH = 50
"""Executions that one task sees to."""
_AT_ONCE = 10
_FURTHEST = 20
"""How often an execution that goes on as another, faster than it is told to end, is followed."""
_LATE = 600.0
"""Seconds that may pass between an end and the beginning of what goes on in its place (a process may have died)."""
_GONE_ON = "those that went on as others"

Act = Callable[[Engine, Operation, Summary], Awaitable[None]]
Outcome = Literal["done", "skipped"] | Trouble | None
"""None: there is nothing to tell of it, for it was counted as another."""


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
    page = await engine.summaries.search(_wanted(operation, operation.query), BATCH, operation.cursor)
    slots = asyncio.Semaphore(_AT_ONCE)
    outcomes = await asyncio.gather(*(_outcome(engine, operation, one, slots) for one in page.summaries))
    now = engine.clock.now()

    def counted(found: Operation) -> Operation:
        if (found.stage, found.cursor, found.seen) != (operation.stage, operation.cursor, operation.seen):
            return found  # another process did this batch
        counts = Counter("failed" if isinstance(outcome, Trouble) else outcome for outcome in outcomes)
        troubles = [outcome for outcome in outcomes if isinstance(outcome, Trouble)]
        further = replace(
            found,
            cursor=page.cursor,
            done=found.done + counts["done"],
            skipped=found.skipped + counts["skipped"],
            failed=found.failed + counts["failed"],
            troubles=(*found.troubles, *troubles)[:EXAMPLES],
        )
        if page.cursor is not None:
            return further
        return replace(further, stage=_GONE_ON) if _looks_again(further) else finished(further, "done", now)

    now_standing = await engine.operations.change(operation.workspace, operation.id, counted, now)
    return answered(engine, call, {"more": now_standing.status == "running", "seen": now_standing.seen})


def _looks_again(operation: Operation) -> bool:
    """Whether a second listing is due. Who asks for what is over asks for none that is open."""
    query = operation.query
    if query is None or operation.stage == _GONE_ON or operation.action not in _ENDS:
        return False
    return query.sort == "started_at" and not (query.closed.bounded or query.duration.bounded)


def _wanted(operation: Operation, query: Query) -> Query:
    if operation.stage != _GONE_ON:
        return query
    return replace_query(query, statuses=("continued",), closed=Span(operation.created_at - _LATE))


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


async def _outcome(engine: Engine, operation: Operation, one: Summary, slots: asyncio.Semaphore) -> Outcome:
    async with slots:
        try:
            if operation.stage == _GONE_ON:
                last = await _missed(engine, operation, one)
                if last is None:
                    return None
                await _end(engine, operation, one.workspace, last)
            else:
                await _ACTS[operation.action](engine, operation, one)
        except (NotFound, Conflict):
            return "skipped"
        except Refused as error:
            return Trouble(one.execution, error.message)
    return "done"


async def _missed(engine: Engine, operation: Operation, one: Summary) -> str | None:
    """The open end of the chain of one that went on before the first listing saw it. None: what goes on in its place is
    in that listing, is over, or was told already."""
    book = await engine.books.load(one.workspace, one.execution)
    if book is None or book.state.successor is None:
        return None
    following = await engine.summaries.get(one.workspace, book.state.successor)
    if following is not None and following.started_at <= operation.created_at:
        return None
    last = await newest(engine, one.workspace, one.execution)
    if last is None or last.state.closed or last.state.cancel_request == operation.id:
        return None
    return last.execution


async def _end_one(engine: Engine, operation: Operation, one: Summary) -> None:
    await _end(engine, operation, one.workspace, one.execution)


async def _end(engine: Engine, operation: Operation, workspace: str, execution: str) -> None:
    """End it, or what goes on in its place. Raises `Refused` when that goes on faster than it is followed."""
    for _ in range(_FURTHEST):
        try:
            if operation.action == "cancel":
                await cancel(engine, workspace, execution, operation.by, operation.reason, operation.id)
            else:
                await terminate(engine, workspace, execution, operation.by, operation.reason)
        except Conflict:
            execution = await _goes_on(engine, workspace, execution)
        else:
            return
    raise Refused(f"It goes on as others faster than it is told to end; the last one seen is {execution}.")


async def _goes_on(engine: Engine, workspace: str, execution: str) -> str:
    """The last of its chain. Raises `Conflict` when it ended otherwise."""
    book = await engine.books.load(workspace, execution)
    if book is not None and book.state.status == "continued":
        last = await newest(engine, workspace, execution)
        if last is not None and last.execution != execution:
            return last.execution
    raise Conflict("The execution is over already.")


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


_ACTS: Final[dict[str, Act]] = {"cancel": _end_one, "terminate": _end_one, "retry": _retry}
_ENDS: Final = ("cancel", "terminate")

VERBS: dict[str, Verb] = {"bulk_batch": batch, "bulk_failed": own_up}
