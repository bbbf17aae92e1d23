"""What schedules cost: a firing a handful of units beside its execution, waiting nothing but the sweep's look."""

from linkflow.adapters.clock import VirtualClock
from linkflow.adapters.meter import Meter, MeteredQueue, MeteredTable
from linkflow.adapters.prices import Unit
from linkflow.engine.schedules import fire, sweep
from linkflow.messages import QUEUES
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import World, in_memory
from tests.services.other_ports import over
from tests.services.ticking import WORKSPACE, schedule, workflow


def metered(meter: Meter) -> World:
    world = in_memory(Settings(), VirtualClock(1_795_089_600.0))
    queue = MeteredQueue(world.queue, QUEUES, meter)
    table = MeteredTable(world.table, queue, meter)
    return over(world, table, queue)


async def test_a_firing_costs_a_claim_and_its_settling_beside_the_start() -> None:
    meter = Meter()
    world = metered(meter)
    made = await schedule(world, await workflow(world), cron="0 * * * *")
    assert isinstance(world.clock, VirtualClock)
    await world.clock.advance(3_600)
    meter.reset()
    await fire(world.engine, WORKSPACE, made.id)
    written = {what: count for (unit, what), count in meter.shares.items() if unit == Unit.WRITE}
    assert sum(count for what, count in written.items() if what.startswith("STANDING")) <= 5
    assert meter.units.get(Unit.QUEUE, 0) == 0
    assert meter.units[Unit.FIFO] == 1


async def test_schedules_that_wait_cost_the_sweep_a_look_at_each_shard() -> None:
    meter = Meter()
    world = metered(meter)
    target = await workflow(world)
    for _ in range(50):
        await schedule(world, target, cron="0 0 1 1 *")
    meter.reset()
    assert await sweep(world.engine, world.clock.now()) == 0
    assert meter.units.get(Unit.WRITE, 0) == 0
    assert meter.units[Unit.READ] <= 2
    assert meter.units.get(Unit.QUEUE, 0) == 0
