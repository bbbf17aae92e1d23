"""Room for the newest (`cancel_oldest`): of those that hold a slot or wait for one, as many stay as there are slots.

Everybody who comes to a full limit stands in line first and then looks who is too old. All see the same ages, so they
agree on that; whoever is too old himself goes and asks nobody else to. What the others should have done is then done
by those that stay: the last of them to stand in line sees all that came before. Crash rules: who dies half-way asks
again, and sees who is left; an execution is told to end before it counts as told, and is told twice without harm.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from linkflow.engine.cancel import cancel
from linkflow.engine.engine import Engine
from linkflow.errors import Conflict, NotFound
from linkflow.ports import Key
from linkflow.stores.limits import Line

OUTDATED = "A newer execution takes its place (cancel_oldest)."
_AT_ONCE = 100
"""Executions that one newcomer tells to end. More are there only where a workflow that let them wait does so no more;
the next newcomer tells the next."""


@dataclass(frozen=True, slots=True)
class _Living:
    """An execution that nobody asked to make room. `place`: where it stands in line; None: it holds a slot."""

    since: float
    who: str
    place: Key | None


async def make_room(engine: Engine, line: Line, who: str) -> bool:
    """Tell the oldest to end. False: `who`, which stands in line, is itself too old."""
    living = sorted(await _living(engine, line), key=lambda one: (one.since, one.who))
    outdated = living[: max(0, len(living) - line.limit)]
    if any(one.who == who for one in outdated):
        return False
    few = outdated[:_AT_ONCE]
    await asyncio.gather(*(_tell(engine, line, one, who) for one in few))
    holders = frozenset(one.who for one in few if one.place is None)
    while holders and not await _marked(engine, line, holders):
        pass
    return True


async def _living(engine: Engine, line: Line) -> list[_Living]:
    """The line is read first: who moves from it to a slot meanwhile is seen there."""
    waiters = await engine.limit_items.everybody(line)
    holders = (await engine.limit_items.slots(line)).slots.holders
    waiting = [_Living(one.since, one.who, one.key) for one in waiters if one.who not in holders]
    return [*waiting, *(_Living(held.since, one, None) for one, held in holders.items() if not held.asked)]


async def _tell(engine: Engine, line: Line, one: _Living, by: str) -> None:
    with suppress(NotFound, Conflict):
        await cancel(engine, line.workspace, one.who, by, OUTDATED, f"room/{line.name}")
    if one.place is not None:
        await engine.limit_items.leave(one.place)


async def _marked(engine: Engine, line: Line, asked: frozenset[str]) -> bool:
    """Note that these holders were asked to end. False: somebody else wrote meanwhile."""
    read = await engine.limit_items.slots(line)
    marked = {
        who: msgspec.structs.replace(held, asked=True) if who in asked else held
        for who, held in read.slots.holders.items()
    }
    if marked == read.slots.holders:
        return True
    return await engine.limit_items.save(
        line, read, msgspec.structs.replace(read.slots, holders=marked), engine.clock.now()
    )
