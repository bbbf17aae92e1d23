"""Before a task calls out: the limits that its workspace set for the host and the credential.

    rate ─▶ a place in time is reserved; near ones are waited for, for far ones the task is postponed
    slots ▶ the process holds a share of them and hands it from call to call; it grows by a write, and when nobody
            wants it any more it is given back; a process that dies loses it within `SHARE` seconds

A task that must wait for long is no failure: it is postponed, which is written into its book and moves its deadline;
nothing else of its execution waits with it. Those that wait for slots come back after a while, in no order.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit
from zlib import crc32

from linkflow.engine.engine import Call, Engine
from linkflow.engine.portions import hold, reserve
from linkflow.engine.share import Share
from linkflow.stores.limits import Line, Rate

PATIENCE = 5.0
"""Seconds that a task waits here before it is postponed instead."""
SHARE = 60.0
"""Seconds for which a process holds its share before it must prolong it."""
IDLE = 1.0
"""Seconds for which an unused share is kept for the next call, where the process stays."""
LOOK_EVERY = 0.25
LONGEST_RESERVATION = 86_400.0


class Postponed(Exception):
    """Not now: at `until`. `paid` is the rate limit in which that moment is reserved."""

    def __init__(self, until: float, paid: str = "") -> None:
        super().__init__(f"postponed until {until}")
        self.until = until
        self.paid = paid


def names_of(call: Call, url: str) -> list[str]:
    """The limits that may concern a call to this address."""
    host = urlsplit(url).hostname or ""
    names = [f"host:{host}"] if host else []
    role = call.task.credentials.get("RoleArn") if isinstance(call.task.credentials, dict) else None
    return [*names, f"credential:{role}"] if role else names


@asynccontextmanager
async def passage(engine: Engine, call: Call, url: str) -> AsyncIterator[None]:
    """Within it the call may be made. Raises `Postponed`."""
    rules = await engine.rules.of(call.workspace)
    found = [rules[name] for name in names_of(call, url) if name in rules] if rules else []
    for rule in found:
        if rule.limit is not None and call.task.paid != rule.name:
            await _in_time(engine, call, rule.name, Rate(rule.limit, rule.per_seconds))
    shares: list[Share] = []
    try:
        for rule in found:
            if rule.at_once is not None:
                share = await _enter(engine, call, Line(call.workspace, rule.name, rule.at_once))
                shares.append(share)
        yield
    finally:
        await _leave(engine, shares)


async def _in_time(engine: Engine, call: Call, name: str, rate: Rate) -> None:
    now = engine.clock.now()
    moment = await reserve(engine, call.workspace, name, rate, LONGEST_RESERVATION)
    if moment - now > PATIENCE:
        raise Postponed(moment, name)
    if moment > now:
        await engine.clock.sleep(moment - now)


async def _enter(engine: Engine, call: Call, line: Line) -> Share:
    share = engine.shares.setdefault(f"{line.workspace}/{line.name}", Share(line))
    share.line = line
    bell, deadline = f"gate {line.workspace} {line.name}", engine.clock.now() + PATIENCE
    while True:
        if share.used < share.held and share.held <= line.limit:
            share.used += 1
            return share
        if await _grow(engine, share):
            return share
        now = engine.clock.now()
        if now >= deadline:
            raise Postponed(now + PATIENCE + crc32(call.task.key.encode()) % int(PATIENCE))
        await engine.bells.wait(bell, LOOK_EVERY, engine.clock)


async def _grow(engine: Engine, share: Share) -> bool:
    """One slot more, which is used at once."""
    async with share.turn:
        until = engine.clock.now() + SHARE
        if not await hold(engine, share.line, engine.process, until, share.held + 1):
            return False
        share.held += 1
        share.used += 1
    if share.tending is None:
        share.tending = asyncio.create_task(_tend(engine, share))
    return True


async def _leave(engine: Engine, shares: Sequence[Share]) -> None:
    for share in shares:
        share.used -= 1
        share.idle_since = engine.clock.now()
        if engine.limits.visit is not None:  # (a process that may be frozen now keeps nothing for later)
            await _shrink(engine, share)
        engine.bells.ring(f"gate {share.line.workspace} {share.line.name}")


async def _shrink(engine: Engine, share: Share) -> None:
    """Hold no more than is used. (What is to be given back is not used any more from here on.)"""
    async with share.turn:
        share.held = share.used
        await hold(engine, share.line, engine.process, engine.clock.now() + SHARE, share.held)


async def _tend(engine: Engine, share: Share) -> None:
    prolonged = engine.clock.now()
    try:
        while share.held:
            await engine.clock.sleep(IDLE)
            now = engine.clock.now()
            idle = share.used < share.held and now - share.idle_since >= IDLE
            if idle or now - prolonged >= SHARE / 3:
                await _shrink(engine, share)
                prolonged = now
    finally:
        share.tending = None
