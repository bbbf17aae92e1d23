"""The loads. Each gives one line: what was measured, in which unit, beside the floor it must keep."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping

from scripts.benchmarks import long_loads, open_loads, search_loads
from scripts.benchmarks.client import Client
from scripts.benchmarks.graphs import chain, fan
from scripts.benchmarks.line import Line
from scripts.benchmarks.server import Server, server

STEPS = 10
MANY = 500
_ROUNDS = 40
_WARM_UP = 5


async def sequential(on: Server) -> list[Line]:
    """(a) A row of durable no-op tasks, one execution at a time: how long a caller waits for the result."""
    return [await _one_at_a_time(on, f"a  {STEPS} durable tasks in a row", chain(STEPS, "no_op"), "≤ 8 ms")]


async def wide(on: Server) -> list[Line]:
    """(c) A hundred parallel durable tasks and their join."""
    return [await _one_at_a_time(on, "c  100 parallel tasks and join", fan(100), "≤ 60 ms")]


async def _one_at_a_time(on: Server, load: str, definition: dict[str, object], floor: str) -> Line:
    client = Client(on)
    await client.connect()
    workflow = await client.create(load, definition)
    path = f"/api/v1/workflows/{workflow}/execute?wait=30"
    for _ in range(_WARM_UP):
        await client.call("POST", path, {})
    took, cpu = [], on.cpu_seconds()
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        answer = await client.call("POST", path, {})
        took.append(time.perf_counter() - began)
        if answer["status"] != "succeeded":
            raise SystemExit(f"{load}: {answer}")
    each = (on.cpu_seconds() - cpu) / _ROUNDS
    client.close()
    return Line(load, f"median {statistics.median(took) * 1000:.1f} ms", floor, f"{each * 1000:.1f} ms each")


async def many(on: Server) -> list[Line]:
    """(b) Five hundred of (a) as fast as possible, by one request each and by one batch."""
    definition = chain(STEPS, "no_op")
    return [
        await _throughput(on, f"b1 {MANY} × {STEPS} durable, one request each", definition, _one_by_one, "≥ 2,500/s"),
        await _throughput(on, f"b2 {MANY} × {STEPS} durable, one batch", definition, _in_one_batch, "≥ 4,000/s"),
    ]


async def pure(on: Server) -> list[Line]:
    """(d) Pure steps: evaluated inside the turn, recorded with it."""
    literal = chain(STEPS, "set", {"values": {"kind": "order", "currency": "EUR"}})
    computed = chain(STEPS, "set", {"values": {"text": "{{ trigger.name }} {{ execution.id }}"}})
    return [
        await _throughput(on, f"d1 {MANY} × {STEPS} pure, literal values", literal, _in_one_batch, "≥ 20,000/s"),
        await _throughput(on, f"d2 {MANY} × {STEPS} pure, two expressions", computed, _in_one_batch, ""),
    ]


Starter = Callable[[Client, str], Awaitable[None]]


async def _one_by_one(client: Client, workflow: str) -> None:
    path = f"/api/v1/workflows/{workflow}/execute"
    await asyncio.gather(*(client.call("POST", path, {}) for _ in range(MANY)))


async def _in_one_batch(client: Client, workflow: str) -> None:
    await client.call("POST", f"/api/v1/workflows/{workflow}/execute/batch", {"executions": [{}] * MANY})


async def _throughput(on: Server, load: str, definition: dict[str, object], begin: Starter, floor: str) -> Line:
    """From the first request until the last execution is closed, by the server's own record."""
    client = Client(on, connections=32)
    await client.connect()
    rates, costs = [], []
    for _ in range(4):
        workflow = await client.create(load, definition)
        cpu, began = on.cpu_seconds(), time.perf_counter()
        await begin(client, workflow)
        await _all_closed(client, workflow)
        took = time.perf_counter() - began
        rates.append(MANY * STEPS / took)
        costs.append((on.cpu_seconds() - cpu) / (MANY * STEPS))
    client.close()
    rate, cost = statistics.median(rates[1:]), statistics.median(costs[1:])
    return Line(load, f"{rate:,.0f} steps/s", floor, f"{cost * 1000:.3f} ms a step")


async def _all_closed(client: Client, workflow: str) -> None:
    """Looks from time to time, seldom enough not to be what is measured."""
    path = f"/api/v1/executions?workflow={workflow}&status=running&limit=1"
    while (await client.call("GET", path))["data"]:  # noqa: ASYNC110 (what is waited for is in another process)
        await asyncio.sleep(0.02)


async def beginnings(on: Server) -> list[Line]:
    """(e) From nothing to the first result, and what an idle server holds."""
    idle = on.memory_megabytes()
    began = time.perf_counter()
    with server() as fresh:
        client = Client(fresh)
        await client.connect()
        workflow = await client.create("first", chain(STEPS, "no_op"))
        await client.call("POST", f"/api/v1/workflows/{workflow}/execute?wait=30", {})
        took = time.perf_counter() - began
        client.close()
        memory = fresh.memory_megabytes()
    return [
        Line("e1 start to first result", f"{took:.2f} s", "≤ 2 s"),
        Line("e2 memory after the first result", f"{memory:.0f} MB", "≤ 120 MB", f"after the loads: {idle:.0f} MB"),
    ]


LOADS: Mapping[str, Callable[[Server], Awaitable[list[Line]]]] = {
    "a": sequential,
    "b": many,
    "c": wide,
    "d": pure,
    "e": beginnings,
    "f": long_loads.long,
    "g": long_loads.wide,
    "h": open_loads.timers,
    "i": open_loads.signals,
    "j": search_loads.search,
}
