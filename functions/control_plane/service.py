"""Health: each part is used once, for real, and says what is wrong."""

import asyncio
from collections.abc import Awaitable

from functions.control_plane.schemas import HealthView, PartView
from linkflow.errors import LinkFlowError
from linkflow.messages import LANE
from linkflow.runtime.wiring import World
from linkflow.stores import keys

_ADVICE = {
    "table": "Is the data directory writable and the disk not full (sqlite), or the table there and allowed (aws)?",
    "queue": "Are the queues there, and may this process read them?",
}


async def health(world: World) -> HealthView:
    parts = await asyncio.gather(
        _probe(world, "table", world.table.get(keys.installation())),
        _probe(world, "queue", world.queue.depth(LANE.name)),
    )
    well = all(part.status == "ok" for part in parts)
    return HealthView(status="ok" if well else "failing", parts=list(parts))


async def _probe(world: World, part: str, use: Awaitable[object]) -> PartView:
    began = world.clock.now()
    try:
        await use
    except LinkFlowError as error:
        advice = f"{error.message} {_ADVICE[part]}"
        return PartView(part=part, status="failing", latency_ms=_since(world, began), advice=advice)
    return PartView(part=part, status="ok", latency_ms=_since(world, began))


def _since(world: World, began: float) -> float:
    return round((world.clock.now() - began) * 1000, 3)
