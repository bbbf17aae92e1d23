"""`scripts/bench cost`: what AWS would bill for the standard loads, beside Step Functions.

The engine runs in this process over metered ports (`adapters/meter.py`), as it would on Lambda: a visit is bounded, a
queue function is given ten messages at a time. What a clock would have to tell is reckoned: the seconds of an
invocation are its waits for the table, which the executions that share it have at the same time, and the CPU it takes,
where a share of a core goes with the memory. The doors are left out: what a start costs there is the same everywhere.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.table import Table as Printed

from functions.services import declare
from linkflow import ids
from linkflow.adapters.clock import SystemClock
from linkflow.adapters.joined import JoinedQueue
from linkflow.adapters.meter import Meter, MeteredBlobs, MeteredQueue, MeteredTable
from linkflow.adapters.prices import DOLLARS, EXPRESS_GB_SECOND, EXPRESS_REQUEST, STANDARD_TRANSITION, Unit
from linkflow.engine.start import Start, start
from linkflow.language.graph.compile import content_hash
from linkflow.messages import QUEUES
from linkflow.runtime.functions import Schedule
from linkflow.runtime.hosts.embedded import Embedded
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import World, assemble, in_memory
from linkflow.stores.records import Workflow, WorkflowVersion
from scripts.benchmarks.graphs import chain, fan

EXECUTIONS: Final = 200
STEPS: Final = 10
_MEMORY_GB: Final = 0.5
_CORES: Final = 0.5 * 1_024 / 1_769
"""Of one, that Lambda gives with that memory (AWS Lambda developer guide, "Configure memory")."""
_PUT_WAIT: Final = 0.005
"""Seconds that one call to DynamoDB takes, and the CPU seconds that the SDK spends on it (measured, PLATFORMS §3)."""
_PUT_CPU: Final = 0.001
_MILLION: Final = 1_000_000
_EXPRESS_GB: Final = 64 / 1_024


@dataclass(frozen=True, slots=True)
class Load:
    """A workflow, its steps, the state transitions it would be on Step Functions (the start is one), and its input."""

    definition: dict[str, Any]
    steps: int
    transitions: int
    given: dict[str, Any] = field(default_factory=dict)
    alone: bool = False
    """Whether each execution has everything to itself: no call and no invocation is shared."""


LOADS: Final[Mapping[str, Load]] = {
    "10 durable steps in a row": Load(chain(STEPS, "no_op"), STEPS, STEPS + 1),
    "the same, each handing on 0.7 KB": Load(chain(STEPS, "no_op"), STEPS, STEPS + 1, {"text": "x" * 700}),
    "100 durable steps side by side": Load(fan(100), 100, 102),
    "10 durable steps, one run at a time": Load(chain(STEPS, "no_op"), STEPS, STEPS + 1, alone=True),
    "10 pure steps": Load(chain(STEPS, "set", {"values": {"kind": "order"}}), STEPS, STEPS + 1),
}


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one execution."""

    units: Mapping[Unit, float]
    shares: Mapping[tuple[Unit, str], float]

    @property
    def dollars(self) -> float:
        return sum(DOLLARS[unit] * number for unit, number in self.units.items())


def metered(meter: Meter) -> World:
    """A world in memory whose every port is metered."""
    settings = Settings(resident=False, visit_seconds=840)
    bare = in_memory(settings, SystemClock())
    queue = JoinedQueue(MeteredQueue(bare.queue, QUEUES, meter))
    table, blobs = MeteredTable(bare.table, queue, meter), MeteredBlobs(bare.blobs, meter)
    return assemble(table, queue, blobs, bare.keyring, bare.clock, settings, bare.close, tidy=bare.tidy)


async def write_workflow(world: World, definition: dict[str, Any], workspace: str = "ws_bench") -> Workflow:
    now = world.clock.now()
    workflow = Workflow(workspace, world.ids.new(ids.WORKFLOW), "bench", "graph", 1, now, now)
    text = msgspec.Raw(msgspec.json.encode(definition))
    version = WorkflowVersion(1, content_hash(definition), "graph", text, now)
    await world.engine.workflows.create(workflow, version, ())
    return workflow


async def costs(load: Load, executions: int = EXECUTIONS) -> Costs:
    """Started together (or one after the other, if alone); everything that follows is counted, until the queues are
    empty. What the clock starts is the price of an installation, not of an execution, and left out."""
    meter = Meter()
    world = metered(meter)
    async with Embedded(world, [one for one in declare(world) if not isinstance(one.trigger, Schedule)]):
        workflow = await write_workflow(world, load.definition)
        program = await world.engine.programs.numbered(workflow.workspace, workflow.id, workflow.version)
        await asyncio.sleep(0.05)
        meter.reset()
        cpu = time.process_time()
        request = Start(workflow, load.given, node=program.manual_start)
        for at_once in [1] * executions if load.alone else [executions]:
            await _run(world, request, at_once)
        spent = time.process_time() - cpu
    return _shared(meter, executions, spent)


async def _run(world: World, request: Start, executions: int) -> None:
    names = [world.ids.new(ids.EXECUTION) for _ in range(executions)]
    ended = asyncio.ensure_future(_ended(world, names))
    await asyncio.gather(*(start(world.engine, replace(request, execution=name)) for name in names))
    await ended


async def _ended(world: World, executions: list[str]) -> None:
    await asyncio.gather(*(world.engine.closings.expect(execution) for execution in executions))
    for spec in QUEUES:
        while await world.queue.depth(spec.name):  # noqa: ASYNC110 (handlers finish in their own time)
            await asyncio.sleep(0.01)


def _shared(meter: Meter, executions: int, cpu: float) -> Costs:
    """`cpu`: seconds of all together, the SDK's left out."""
    units = {unit: number / executions for unit, number in meter.units.items()}
    shares = {share: number / executions for share, number in meter.shares.items()}
    calls = meter.calls / executions
    seconds = calls * _PUT_WAIT * units[Unit.INVOCATION] + (cpu / executions + calls * _PUT_CPU) / _CORES
    units[Unit.COMPUTE] = seconds * _MEMORY_GB
    return Costs(units, shares)


def main() -> None:
    rows = {name: asyncio.run(costs(load)) for name, load in LOADS.items()}
    Console(width=130).print(_table(rows))
    first = next(iter(rows.values()))
    spent = Printed("what the first load's units are for", "units an execution", "$ a million executions")
    for (unit, purpose), number in sorted(first.shares.items()):
        spent.add_row(f"{unit.value}: {purpose}", f"{number:.2f}", f"{number * DOLLARS[unit] * _MILLION:.2f}")
    seconds = first.units[Unit.COMPUTE]
    spent.add_row(Unit.COMPUTE.value, f"{seconds:.3f}", f"{seconds * DOLLARS[Unit.COMPUTE] * _MILLION:.2f}")
    Console(width=130).print(spent)


def _table(rows: Mapping[str, Costs]) -> Printed:
    table = Printed(
        "load", "write units", "queue", "invocations", "$ / M executions", "$ / M steps", "Standard", "Express"
    )
    for name, cost in rows.items():
        load = LOADS[name]
        queue = cost.units.get(Unit.FIFO, 0.0) + cost.units.get(Unit.QUEUE, 0.0)
        express = EXPRESS_REQUEST + cost.units[Unit.COMPUTE] / _MEMORY_GB * _EXPRESS_GB * EXPRESS_GB_SECOND
        table.add_row(
            name,
            f"{cost.units[Unit.WRITE]:.2f}",
            f"{queue:.2f}",
            f"{cost.units[Unit.INVOCATION]:.2f}",
            f"{cost.dollars * _MILLION:.2f}",
            f"{cost.dollars * _MILLION / load.steps:.3f}",
            f"{load.transitions * STANDARD_TRANSITION * _MILLION / load.steps:.2f}",
            f"{express * _MILLION / load.steps:.2f}",
        )
    return table


if __name__ == "__main__":
    main()
