"""Health: each part is used once, for real, and says what is wrong and what to do.

`vital` is what anybody may ask, as often as they like: three reads, and nothing about who works here. `everything`
looks at every queue, the blobs, the keyring and what is overdue, and is for whoever runs the installation.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from functions.control_plane.schemas import PartView, Status
from linkflow.errors import LinkFlowError
from linkflow.messages import LANE, QUEUES
from linkflow.ports import Index, Range
from linkflow.runtime.wiring import World
from linkflow.stores import index_keys, keys
from linkflow.stores.pulse import Pulses

LATE_SWEEP: Final = 900.0
"""Seconds without a sweep after which the timer is taken for dead; it says that it lives every five minutes."""
AHEAD: Final = 10.0
"""Seconds by which another machine's clock may be ahead."""
LAG: Final = 300.0
"""Seconds by which what is due may be late before somebody should look."""
_CONTENT: Final = b"probe"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a probe found; a part that is well needs no advice."""

    value: float | None = None
    status: Status = "ok"
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    part: str
    use: Callable[[World], Awaitable[Finding]]
    advice: str


async def vital(world: World) -> list[PartView]:
    return await _all(world, VITAL)


async def everything(world: World) -> list[PartView]:
    return await _all(world, (*VITAL, *DEEPER))


async def _all(world: World, probes: Sequence[Probe]) -> list[PartView]:
    return list(await asyncio.gather(*(_probed(world, probe) for probe in probes)))


async def _probed(world: World, probe: Probe) -> PartView:
    began = world.clock.now()
    try:
        found = await probe.use(world)
    except LinkFlowError as error:
        found = Finding(None, "failing", f"{error.message} {probe.advice}")
    took = round((world.clock.now() - began) * 1000, 3)
    return PartView(part=probe.part, status=found.status, latency_ms=took, value=found.value, advice=found.advice)


async def _table(world: World) -> Finding:
    await world.table.get(keys.installation())
    return Finding()


async def _lane(world: World) -> Finding:
    await world.queue.depth(LANE.name)
    return Finding()


async def _timer(world: World) -> Finding:
    pulse, now = await Pulses(world.table).get(), world.clock.now()
    if pulse is None:
        advice = "The timer has not swept yet. It does so within a minute of the first start; if not, it does not run."
        return Finding(None, "warning", advice)
    since = round(now - pulse.at, 1)
    if since > LATE_SWEEP:
        advice = (
            f"The last sweep was {since:g} s ago: nothing that is due happens. Is the function 'timer_watch' running?"
        )
        return Finding(since, "failing", advice)
    if since < -AHEAD:
        advice = f"The last sweep was {-since:g} s from now: set the clocks of all machines by the same server."
        return Finding(since, "failing", advice)
    return Finding(max(0.0, since))


def _depth_of(queue: str) -> Callable[[World], Awaitable[Finding]]:
    async def depth(world: World) -> Finding:
        return Finding(float(await world.queue.depth(queue)))

    return depth


def _letters_of(queue: str) -> Callable[[World], Awaitable[Finding]]:
    async def letters(world: World) -> Finding:
        count = await world.queue.depth(queue)
        if not count:
            return Finding(0.0)
        advice = f"{count} messages were given up; the log says why. The watchdog repeats what it can."
        return Finding(float(count), "warning", advice)

    return letters


async def _blobs(world: World) -> Finding:
    name = "health/probe"
    await world.blobs.put(name, _CONTENT)
    well = await world.blobs.get(name) == _CONTENT
    return Finding() if well else Finding(None, "failing", "What was written to the blob store is not there.")


async def _keyring(world: World) -> Finding:
    context = {"purpose": "health"}
    well = await world.keyring.open(await world.keyring.seal(_CONTENT, context), context) == _CONTENT
    return Finding() if well else Finding(None, "failing", "What was sealed cannot be opened.")


def _lag_of(partition: Callable[[int], str], what: str) -> Callable[[World], Awaitable[Finding]]:
    async def lag(world: World) -> Finding:
        pages = await asyncio.gather(
            *(
                world.table.query(Range(partition(shard), index_keys.due_until(0), index=Index.DUE, limit=1))
                for shard in range(index_keys.DUE_SHARDS)
            )
        )
        moments = [index_keys.due_moment(item.indexes[Index.DUE].sk) for page in pages for item in page.items]
        late = round(max(0.0, world.clock.now() - min(moments)), 1) if moments else 0.0
        if late <= LAG:
            return Finding(late)
        advice = f"The oldest {what} is {late:g} s late: it is held, or the timer cannot keep up, or does not run."
        return Finding(late, "warning", advice)

    return lag


VITAL: Final = (
    Probe("table", _table, "Is the data directory writable and the disk not full, or the table there and allowed?"),
    Probe("queue", _lane, "Are the queues there, and may this process read them?"),
    Probe("timer", _timer, "The table does not tell when the timer last swept."),
)
DEEPER: Final = (
    *(Probe(f"queue {spec.name}", _depth_of(spec.name), "Is the queue there?") for spec in QUEUES),
    *(Probe(f"dead letters {s.name}", _letters_of(s.dead_letters), "Are the dead letters there?") for s in QUEUES),
    Probe("blobs", _blobs, "Is there room, and may this process write there?"),
    Probe("keyring", _keyring, "Is the key there, and may this process use it?"),
    Probe("watchdog", _lag_of(index_keys.due, "execution"), "The index of what is due cannot be read."),
    Probe("schedules", _lag_of(index_keys.schedules_due, "schedule"), "The index of what is due cannot be read."),
)
