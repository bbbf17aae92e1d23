"""Shares of a limit that are held until a moment unless they are given back or prolonged before: whoever dies with one
loses it then. For what is no execution: a process's calls to a host, a worker's lease. And places in time, under a
rate."""

import msgspec

from linkflow.engine.engine import Engine
from linkflow.stores.limits import Holder, Line, Rate


async def hold(engine: Engine, line: Line, who: str, until: float, count: int = 1) -> bool:
    """Let `who` hold `count` slots until then, whatever it held before; 0 gives them back. False: so many are not free,
    and nothing changed."""
    async with engine.turns.of(f"{line.workspace}/{line.name}"):
        while True:
            read, now = await engine.limit_items.slots(line), engine.clock.now()
            before = {name: one for name, one in read.slots.holders.items() if one.until > now and name != who}
            if count == 0 and who not in read.slots.holders:
                return True
            if sum(one.count for one in before.values()) + count > line.limit:
                return False
            mine = {who: Holder(now, until=until, count=count)} if count else {}
            slots = msgspec.structs.replace(read.slots, holders={**before, **mine})
            if await engine.limit_items.save(line, read, slots, now):
                return True


async def reserve(engine: Engine, workspace: str, name: str, rate: Rate, patience: float) -> float:
    """The moment at which it is the caller's turn; reserved, if that is within `patience` seconds."""
    async with engine.turns.of(f"{workspace}/{name}/rate"):
        return await engine.limit_items.reserve(workspace, name, rate, engine.clock.now(), patience)
