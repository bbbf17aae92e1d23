"""The bill, as a promise: what an execution may cost on AWS, in units that AWS bills by (ARCHITECTURE §4)."""

from dataclasses import replace

import pytest

from linkflow.adapters.prices import Unit
from scripts.benchmarks.cost import LOADS, Costs, costs

_EXECUTIONS = 20
_BESIDE = 4
"""Write units of an execution beside those of its steps, if it waits for nothing."""


async def _costs(name: str) -> Costs:
    return await costs(LOADS[name], _EXECUTIONS)


def _queue_requests(cost: Costs) -> float:
    return cost.units.get(Unit.FIFO, 0.0) + cost.units.get(Unit.QUEUE, 0.0)


@pytest.mark.parametrize("name", [name for name, load in LOADS.items() if "row" in name or "handing" in name])
async def test_a_durable_step_costs_one_write_unit_and_an_execution_few_more(name: str) -> None:
    cost = await _costs(name)
    turns = cost.shares[Unit.WRITE, "TURN"]
    assert turns <= 1.0 * LOADS[name].steps
    assert cost.units[Unit.WRITE] - turns <= _BESIDE


async def test_a_sequential_execution_takes_three_queue_requests_and_two_invocations_even_when_it_is_alone() -> None:
    cost = await costs(LOADS["10 durable steps in a row"], 1)
    assert _queue_requests(cost) <= 3
    assert cost.units[Unit.INVOCATION] <= 2


async def test_pure_steps_ride_along() -> None:
    cost = await _costs("10 pure steps")
    assert cost.shares[Unit.WRITE, "TURN"] <= 1


async def test_steps_side_by_side_share_their_writes() -> None:
    name = "100 durable steps side by side"
    cost = await _costs(name)
    assert cost.shares[Unit.WRITE, "TURN"] <= 0.5 * LOADS[name].steps


async def test_nothing_is_written_to_the_blob_store_for_small_values() -> None:
    cost = await _costs("the same, each handing on 0.7 KB")
    assert Unit.BLOB_PUT not in cost.units


async def test_a_limit_costs_two_writes_and_none_where_there_is_none() -> None:
    """One to take a slot, one to give it back; alone, so that nobody waits in line."""
    free = LOADS["10 durable steps in a row"]
    bounds = {"settings": {"concurrency": {"limit": 5}}}
    plain, limited = [await costs(load, 1) for load in (free, replace(free, definition={**free.definition, **bounds}))]
    assert (Unit.WRITE, "SLOTS") not in plain.shares
    assert limited.units[Unit.WRITE] - plain.units[Unit.WRITE] <= 2
    assert _queue_requests(limited) == _queue_requests(plain)
