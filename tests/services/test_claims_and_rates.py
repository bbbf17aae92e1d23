"""Who is first, and how often: records that stand for a time."""

import asyncio
from pathlib import Path

from linkflow.adapters.clock import VirtualClock
from linkflow.ports import Item, Key
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import connect, in_memory
from linkflow.stores.claims import claim
from linkflow.stores.rates import Rates

KEY = Key("claimed", "it")


async def test_the_first_claim_stands_until_its_time_is_over() -> None:
    clock = VirtualClock()
    world = in_memory(Settings(), clock)
    now = clock.now()
    assert await claim(world.table, Item(KEY, b"first", expires_at=now + 10), now) is None
    found = await claim(world.table, Item(KEY, b"second", expires_at=now + 19), now + 9)
    assert found is not None
    assert found.body == b"first"
    assert await claim(world.table, Item(KEY, b"third", expires_at=now + 30), now + 10) is None
    standing = await world.table.get(KEY)
    assert standing is not None
    assert standing.body == b"third"
    await world.close()


async def test_of_many_claims_on_what_is_over_one_wins() -> None:
    clock = VirtualClock()
    world = in_memory(Settings(), clock)
    now = clock.now()
    await claim(world.table, Item(KEY, b"old", expires_at=now - 1), now - 2)
    claims = [claim(world.table, Item(KEY, b"%d" % n, expires_at=now + 9), now) for n in range(10)]
    answers = await asyncio.gather(*claims)
    assert sum(answer is None for answer in answers) == 1
    await world.close()


async def test_a_rate_is_one_for_all_processes_and_begins_anew_with_each_period(tmp_path: Path) -> None:
    clock = VirtualClock(1_000.0)
    worlds = [await connect(Settings(data=tmp_path), clock) for _ in range(2)]
    rates = [Rates(world.table) for world in worlds]

    async def granted(now: float) -> list[bool]:
        return [(await rates[n % 2].take("hook", 5, 10, now)).granted for n in range(8)]

    assert sum(await granted(1_001.0)) == 5
    assert sum(await granted(1_009.9)) == 0
    assert sum(await granted(1_010.0)) == 5
    taken = await rates[0].take("hook", 5, 10, 1_012.0)
    assert (taken.granted, taken.left, taken.resets_at) == (False, 0, 1_020.0)
    for world in worlds:
        await world.close()
