"""Business keys that only one open execution of a workflow may have: one conditional item for each, written in one
transaction with the opening, so that there is no claim without its execution. Only starts that ask for it pay.

The claim goes with its execution. One whose execution is over (the process died before it was given back) is taken
over by the next start.
"""

from typing import Literal

from msgspec.structs import replace

from linkflow.engine.cancel import terminate
from linkflow.engine.engine import Engine
from linkflow.errors import ConditionFailed, Conflict, NotFound
from linkflow.ports import Item, Unchanged
from linkflow.stores import keys
from linkflow.stores.records import Claim, Summary, decode

KeyPolicy = Literal["allow", "reject", "use_existing", "terminate_existing"]
"""What becomes of a start whose business key an open execution of the workflow has, if that one was started under any
policy but `allow`."""


async def open_alone(engine: Engine, summary: Summary, opening: bytes, policy: KeyPolicy) -> str | None:
    """Begin the execution if no other has its business key; None. Otherwise, as `policy` says: the id of the one that
    has, or that one is terminated first, or `Conflict`. An execution that began before is found again."""
    where = keys.claim(summary.workspace, summary.workflow, summary.business_key)
    while True:
        found = await engine.table.get(where)
        if await engine.summaries.get(summary.workspace, summary.execution) is not None:
            return summary.execution
        holder = None if found is None else await _open_holder(engine, summary.workspace, found)
        if holder is not None and policy == "use_existing":
            return holder
        if holder is not None and policy == "reject":
            raise Conflict(
                f"The business key '{summary.business_key}' belongs to {holder}, which is still open. Wait for it, "
                "use another key, or start with the policy 'use_existing' or 'terminate_existing'."
            )
        if holder is not None:
            await _end(engine, summary, holder)
        if await _written(engine, summary, opening, found):
            return None


async def _open_holder(engine: Engine, workspace: str, found: Item) -> str | None:
    holder = decode(found.body, Claim).execution
    book = await engine.books.load(workspace, holder)
    return holder if book is not None and not book.state.closed else None


async def _end(engine: Engine, summary: Summary, holder: str) -> None:
    """Its book says that it is over before the new one begins; its own visit clears up behind it."""
    try:
        reason = f"{summary.execution} took its business key."
        await terminate(engine, summary.workspace, holder, summary.execution, reason)
    except (Conflict, NotFound):
        return


async def _written(engine: Engine, summary: Summary, opening: bytes, found: Item | None) -> bool:
    """False: somebody else wrote at the same time; look again."""
    try:
        await engine.summaries.open_with_claim(summary, opening, found)
    except ConditionFailed:
        return False
    return True


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
