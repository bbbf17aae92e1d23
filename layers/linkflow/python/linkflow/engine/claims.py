"""Business keys that only one open execution of a workflow may have: one conditional item for each, written in one
transaction with the opening, so that there is no claim without its execution. Only starts that ask for it pay.

The claim goes with its execution. One whose execution is over (the process died before it was given back) is taken
over by the next start.
"""

from typing import Literal

from msgspec.structs import replace

from linkflow.engine.cancel import settle, terminate
from linkflow.engine.engine import Engine
from linkflow.engine.wakes import wake
from linkflow.errors import ConditionFailed, Conflict, NotFound
from linkflow.ports import Item, Key, Put, Unchanged
from linkflow.stores import keys
from linkflow.stores.records import Answered, Claim, Summary, decode, encode

KeyPolicy = Literal["allow", "reject", "use_existing", "terminate_existing"]
"""What becomes of a start whose business key an open execution of the workflow has, if that one was started under any
policy but `allow`."""


async def open_alone(
    engine: Engine, summary: Summary, opening: bytes, policy: KeyPolicy, key: Key | None = None
) -> str | None:
    """Begin the execution if no other has its business key; None. Otherwise, as `policy` says: the id of the one that
    has, or that one is terminated first, or `Conflict`. An execution that began before is found again.

    `key` is where it stands what the request's idempotency key is answered with: by the same write that begins the
    execution, or by one of its own, so that of two who repeat a request both are told the same."""
    where = keys.claim(summary.workspace, summary.workflow, summary.business_key)
    while True:
        kept = None if key is None else await engine.table.get(key)
        if kept is not None and (answer := decode(kept.body, Answered).execution) != summary.execution:
            return answer
        found = await engine.table.get(where)
        if await engine.summaries.get(summary.workspace, summary.execution) is not None:
            return summary.execution
        holder = None if found is None else await _open_holder(engine, summary.workspace, found)
        if holder is not None and policy == "use_existing":
            if kept is None or await _answered(engine, kept, holder):
                return holder
            continue
        if holder is not None and policy == "reject":
            raise Conflict(
                f"The business key '{summary.business_key}' belongs to {holder}, which is still open. Wait for it, "
                "use another key, or start with the policy 'use_existing' or 'terminate_existing'."
            )
        if holder is not None:
            await _end(engine, summary, holder)
        if await _written(engine, summary, opening, found, kept):
            return None


async def _answered(engine: Engine, kept: Item, holder: str) -> bool:
    """The idempotency key stands for the one that has the business key, also when that one is over. False: it was
    answered otherwise meanwhile."""
    answer = replace(decode(kept.body, Answered), execution=holder)
    try:
        return await engine.table.put(_next(kept, encode(answer)), Unchanged(kept.version)) is None
    except ConditionFailed:
        return False


async def _open_holder(engine: Engine, workspace: str, found: Item) -> str | None:
    holder = decode(found.body, Claim).execution
    book = await engine.books.load(workspace, holder)
    if book is None:
        return None
    await settle(engine, workspace, holder, book.state.reset_of)
    if not book.state.closed:
        return holder
    await engine.queue.send([wake(workspace, holder)])  # (who ended it, or its visit, may have died before the rest)
    return None


async def _end(engine: Engine, summary: Summary, holder: str) -> None:
    """Its book says that it is over before the new one begins; its own visit clears up behind it."""
    try:
        reason = f"{summary.execution} took its business key."
        await terminate(engine, summary.workspace, holder, summary.execution, reason)
    except (Conflict, NotFound):
        return


async def _written(
    engine: Engine, summary: Summary, opening: bytes, found: Item | None, kept: Item | None = None
) -> bool:
    """False: somebody else wrote at the same time; look again."""
    also = () if kept is None else (Put(_next(kept, kept.body), Unchanged(kept.version)),)
    try:
        await engine.summaries.open_with_claim(summary, opening, found, also)
    except ConditionFailed:
        return False
    return True


def _next(item: Item, body: bytes) -> Item:
    return replace(item, body=body, version=item.version + 1)


async def hand_over(engine: Engine, old: Summary, new: Summary, opening: bytes) -> None:
    """Begin the execution that goes on in the place of `old`, and give it the claim, if `old` still has it. (If
    somebody else took it, neither this one nor who goes on in its place has one.)"""
    found = await engine.table.get(keys.claim(old.workspace, old.workflow, old.business_key))
    ours = found is not None and decode(found.body, Claim).execution == old.execution
    if not ours or not await _written(engine, new, opening, found):
        await engine.summaries.open(replace(new, unique=False), opening)


async def give_back(engine: Engine, summary: Summary) -> None:
    """The execution is over. A claim that is another's already stays."""
    where = keys.claim(summary.workspace, summary.workflow, summary.business_key)
    found = await engine.table.get(where)
    if found is not None and decode(found.body, Claim).execution == summary.execution:
        try:
            await engine.table.delete(where, Unchanged(found.version))
        except ConditionFailed:
            return
