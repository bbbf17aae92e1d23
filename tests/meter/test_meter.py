"""The meter's rules, one by one, over a table in memory."""

import pytest

from linkflow.adapters.clock import VirtualClock
from linkflow.adapters.meter import Meter, MeteredQueue, MeteredTable
from linkflow.adapters.prices import DOLLARS, Unit
from linkflow.messages import LANE, QUEUES, TIMERS
from linkflow.ports import Absent, Index, Item, Key, Put, Range, Send
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import in_memory

KEY = Key("p", "TURN#1")
LISTED = {Index.LISTING: Key("EX#w", "1")}
MOVED = {Index.LISTING: Key("EX#w", "2")}


@pytest.fixture
def meter() -> Meter:
    return Meter()


@pytest.fixture
async def queue(meter: Meter) -> MeteredQueue:
    return MeteredQueue(in_memory(Settings(), VirtualClock()).queue, QUEUES, meter)


@pytest.fixture
async def table(meter: Meter) -> MeteredTable:
    world = in_memory(Settings(), VirtualClock())
    return MeteredTable(world.table, MeteredQueue(world.queue, QUEUES, meter), meter)


@pytest.mark.parametrize(("size", "units"), [(0, 1), (900, 1), (1_100, 2), (4_900, 5)])
async def test_a_write_is_billed_by_the_kilobyte(table: MeteredTable, meter: Meter, size: int, units: int) -> None:
    await table.put(Item(KEY, b"x" * size))
    assert meter.units == {Unit.WRITE: units}


async def test_a_smaller_item_is_billed_by_the_one_it_replaces(table: MeteredTable, meter: Meter) -> None:
    await table.put(Item(KEY, b"x" * 2_500))
    meter.reset()
    await table.put(Item(KEY, b""))
    assert meter.units[Unit.WRITE] == 3


async def test_index_entries_are_billed_when_they_are_made_changed_moved_and_removed(
    table: MeteredTable, meter: Meter
) -> None:
    billed = []
    for indexes in (LISTED, LISTED, MOVED, {}):
        await table.put(Item(KEY, b"", indexes=indexes))
        billed.append(meter.units[Unit.WRITE])
        meter.reset()
    assert billed == [2, 2, 3, 2]


async def test_a_refused_write_is_billed_too(table: MeteredTable, meter: Meter) -> None:
    await table.put(Item(KEY, b"x" * 1_500))
    meter.reset()
    assert await table.put(Item(KEY, b""), Absent()) is not None
    assert meter.units == {Unit.WRITE: 2}


async def test_a_transaction_costs_twice(table: MeteredTable, meter: Meter) -> None:
    await table.transact([Put(Item(KEY, b"")), Put(Item(Key("p", "TURN#2"), b""))])
    assert meter.units == {Unit.WRITE: 4}


async def test_reads_are_billed_by_four_kilobytes_together_and_half_through_an_index(
    table: MeteredTable, meter: Meter
) -> None:
    for number in range(3):
        await table.put(Item(Key("p", f"TURN#{number}"), b"x" * 2_000, indexes=LISTED))
    meter.reset()
    await table.get(Key("p", "none"))
    await table.query(Range("p"))
    await table.query(Range("EX#w", index=Index.LISTING))
    assert meter.units == {Unit.READ: 1 + 2 + 1}


async def test_a_queue_call_holds_ten_messages_and_is_billed_by_64_kilobytes(queue: MeteredQueue, meter: Meter) -> None:
    await queue.send([Send(LANE.name, b"x", group=str(number)) for number in range(11)])
    await queue.send([Send(TIMERS.name, b"x" * 70_000)])
    assert meter.units == {Unit.FIFO: 2, Unit.QUEUE: 2}


async def test_ten_messages_are_one_invocation(queue: MeteredQueue, meter: Meter) -> None:
    await queue.send([Send(TIMERS.name, b"x") for _ in range(11)])
    meter.reset()
    await queue.delete(await queue.receive(TIMERS.name, limit=100))
    assert meter.units == {Unit.QUEUE: 2 + 2, Unit.INVOCATION: 2}


def test_every_unit_has_its_price(meter: Meter) -> None:
    for unit in Unit:
        meter.count(unit, 1, "all")
    assert meter.dollars() == pytest.approx(sum(DOLLARS.values()))
