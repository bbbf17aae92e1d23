"""Slots of a limit: taken, waited for in line, given back, handed on.

Never more are held than the limit allows: holders change by conditional writes of one item alone. A slot whose holder
died is found by looking its execution up, each minute while others wait, and by those who would otherwise be sent
away. Crash rules: a slot taken for a visit that died is the same execution's when it comes again; one handed on
without the wake is told of by the visit that repeats it (`again`), or found by the watchdog.
"""

import msgspec

from linkflow.engine.engine import Engine
from linkflow.engine.wakes import wake
from linkflow.ports import Key
from linkflow.stores.limits import CHECK_EVERY, Holder, Line, Read, Slots, Waiter

_BATCH = 100


async def take(engine: Engine, line: Line, who: str, age: float | None = None) -> bool:
    """A slot for `who`, if one is free and nobody stands in line. Taking again gives the same one. `age` is the moment
    from which it counts as old; None: this one."""
    async with engine.turns.of(f"{line.workspace}/{line.name}"):
        while True:
            read, now = await engine.limit_items.slots(line), engine.clock.now()
            slots = read.slots
            if who in slots.holders:
                return True
            if slots.crowded or slots.free < 1:
                return False
            taken = msgspec.structs.replace(slots, holders={**slots.holders, who: Holder(now if age is None else age)})
            if await engine.limit_items.save(line, read, taken, now):
                return True


async def stand_in_line(
    engine: Engine, line: Line, priority: int, since: float, who: str, age: float | None = None, *, again: bool = False
) -> bool:
    """Wait for a slot, behind all of higher priority and all who came before. True: it has one already. `again` as in
    `hand_on`."""
    await engine.limit_items.stand(line, priority, since, who, age)
    async with engine.turns.of(f"{line.workspace}/{line.name}"):
        while True:
            read, now = await engine.limit_items.slots(line), engine.clock.now()
            if who in read.slots.holders:
                return True
            crowded = msgspec.structs.replace(
                read.slots, crowded=True, check_at=read.slots.check_at if read.slots.crowded else now + CHECK_EVERY
            )
            if await engine.limit_items.save(line, read, crowded, now):
                break
    return who in await hand_on(engine, line, again=again)


async def give_back(engine: Engine, line: Line, who: str, place: Key | None = None, *, again: bool = False) -> None:
    """`who` needs no slot any more, nor its `place` in line; the first in line gets it and is woken. Repeating it
    changes nothing. `again` as in `hand_on`."""
    if place is not None:
        await engine.limit_items.leave(place)
    await hand_on(engine, line, frozenset({who}), again=again)


async def hand_on(
    engine: Engine, line: Line, leaving: frozenset[str] = frozenset(), *, again: bool = False
) -> list[str]:
    """Give the free slots to those who are first in line, and wake them; who got one. `again`: a visit may have died
    between the two, so all that hold a slot are woken."""
    async with engine.turns.of(f"{line.workspace}/{line.name}"):
        while True:
            read, now = await engine.limit_items.slots(line), engine.clock.now()
            without = {one: held for one, held in read.slots.holders.items() if one not in leaving}
            slots = msgspec.structs.replace(read.slots, holders=without)
            served: list[Waiter] = []
            if read.slots.crowded:
                slots, served = await _served(engine, line, slots, now)
            if (slots == read.slots and not served) or await engine.limit_items.save(line, read, slots, now):
                break
    granted = [one.who for one in served if one.who not in read.slots.holders]
    if woken := [*granted, *(slots.holders.keys() & read.slots.holders.keys() if again else ())]:
        await engine.queue.send([wake(line.workspace, who) for who in woken])
    for one in served:
        await engine.limit_items.leave(one.key)
    return granted


async def _served(engine: Engine, line: Line, slots: Slots, now: float) -> tuple[Slots, list[Waiter]]:
    """The slots once those who are first in line have what is free, and whose places in line are thereby over."""
    free = max(0, min(slots.free, _BATCH))
    found = await engine.limit_items.first(line, free + _BATCH)
    holders, served = dict(slots.holders), []
    for one in found:
        if one.who in holders:
            served.append(one)  # (whoever granted it died before taking it out of the line)
        elif free > 0:
            holders[one.who] = Holder(one.since)
            served.append(one)
            free -= 1
    crowded = len(found) > len(served)
    check_at = slots.check_at if slots.check_at > now else now + CHECK_EVERY
    return msgspec.structs.replace(slots, holders=holders, crowded=crowded, check_at=check_at), served


async def drop_the_dead(engine: Engine, line: Line) -> Read:
    """Take the slots of executions that are over or gone; how it then is."""
    read = await engine.limit_items.slots(line)
    dead = set()
    for who in read.slots.holders:
        summary = await engine.summaries.get(line.workspace, who)
        if summary is None or summary.status != "running":
            dead.add(who)
    if dead or read.slots.crowded:
        await hand_on(engine, line, frozenset(dead))
        read = await engine.limit_items.slots(line)
    return read


async def look_after(engine: Engine, now: float) -> int:
    """Look after every limit that somebody waits for; how many there were."""
    lines = await engine.limit_items.crowded(now, _BATCH)
    for line in lines:
        await drop_the_dead(engine, line)
    return len(lines)
