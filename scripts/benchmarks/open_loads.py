"""Loads h and i: ten thousand open executions. What they hold while they wait, how punctually timers wake them, and how
many can be told something in a second.
"""

import asyncio
import statistics
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from scripts.benchmarks.client import Client
from scripts.benchmarks.graphs import START
from scripts.benchmarks.line import Line
from scripts.benchmarks.server import Server

OPEN = 10_000
_BATCH = 1_000
_SPREAD = 20.0
"""Seconds over which the timers are due, so that 500 are in each."""
_SAMPLE = 200


def _waiting(node: dict[str, Any]) -> dict[str, Any]:
    nodes = [START, {"id": "wait", **node}, {"id": "end", "type": "no_op"}]
    edges = [{"source": "start", "target": "wait"}, {"source": "wait", "target": "end"}]
    return {"nodes": nodes, "edges": edges}


async def timers(on: Server) -> list[Line]:
    """(h) Started together, each waits until a moment of its own; then all go on within twenty seconds."""
    client = Client(on, connections=8)
    await client.connect()
    workflow = await client.create("timers", _waiting({"type": "delay", "config": {"until": "{{ trigger.until }}"}}))
    before, cpu, began = on.memory_megabytes(), on.cpu_seconds(), time.perf_counter()
    first = time.time() + 60  # noqa: TID251 (moments that the server's clock will meet)
    dues = [first + _SPREAD * number / OPEN for number in range(OPEN)]
    started = await _start(client, workflow, [{"until": _text(due)} for due in dues])
    took, cpu = time.perf_counter() - began, on.cpu_seconds() - cpu
    held = on.memory_megabytes() - before
    lines = [
        Line(f"h  {OPEN:,} executions start to wait", f"{OPEN / took:,.0f}/s", "", f"{cpu / OPEN * 1000:.2f} ms each"),
        Line("h  all of them waiting", f"+{held:.0f} MB", "", await _idle(on)),
    ]
    client.close()  # (the server closes what is idle for long)
    await asyncio.sleep(max(0.0, dues[-1] + 5 - time.time()))  # noqa: TID251 (as above)
    await client.connect()
    late = await _lateness(client, started, dues)
    ends = f"median {statistics.median(late):.2f} s late, 99 % within {sorted(late)[int(len(late) * 0.99)]:.2f} s"
    client.close()
    return [*lines, Line("h  500 timers due in each second", ends, "≈ 1 s")]


async def signals(on: Server) -> list[Line]:
    """(i) As many executions, each waiting for a signal: a thousand are told at once, several times."""
    client = Client(on, connections=32)
    await client.connect()
    workflow = await client.create("signals", _waiting({"type": "wait_for_signal", "config": {"name": "go"}}))
    started = await _start(client, workflow, [{}] * _BATCH * 3)
    await _settled(client, workflow, len(started))
    rates, cpu = [], on.cpu_seconds()
    for batch in range(3):
        some, began = started[batch * _BATCH : (batch + 1) * _BATCH], time.perf_counter()
        calls = [client.call("POST", f"/api/v1/executions/{one}/signal", {"name": "go", "payload": 1}) for one in some]
        await asyncio.gather(*calls)
        rates.append(_BATCH / (time.perf_counter() - began))
    each = (on.cpu_seconds() - cpu) / len(started)
    client.close()
    return [
        Line(
            "i  signals to different executions",
            f"{statistics.median(rates):,.0f}/s",
            "≥ 1,000/s",
            f"{each * 1000:.2f} ms each",
        )
    ]


async def _start(client: Client, workflow: str, inputs: Sequence[dict[str, Any]]) -> list[str]:
    path = f"/api/v1/workflows/{workflow}/execute/batch"
    started: list[str] = []
    for first in range(0, len(inputs), _BATCH):
        batch = {"executions": [{"input": given} for given in inputs[first : first + _BATCH]]}
        started += [one["id"] for one in (await client.call("POST", path, batch))["data"]]
    await _settled(client, workflow, len(started))
    return started


async def _settled(client: Client, workflow: str, count: int) -> None:
    """Until the last one started stands at its wait."""
    page = await client.call("GET", f"/api/v1/executions?workflow={workflow}&limit=1")
    last, path = page["data"][0]["id"], "/api/v1/executions/"
    for _ in range(60 * count):
        detail = await client.call("GET", path + last)
        if any(one["node"] == "wait" for one in detail["nodes"]):
            return
        await asyncio.sleep(0.02)
    raise SystemExit("The executions do not begin to wait.")


async def _idle(on: Server) -> str:
    """What it costs to wait."""
    cpu = on.cpu_seconds()
    await asyncio.sleep(5)
    return f"{(on.cpu_seconds() - cpu) / 5 * 100:.1f} % of a core"


async def _lateness(client: Client, started: list[str], dues: list[float]) -> list[float]:
    """Of a sample: seconds from a timer's moment to the record of what followed."""
    late = []
    for number in range(0, OPEN, OPEN // _SAMPLE):
        detail = await client.call("GET", f"/api/v1/executions/{started[number]}")
        (wait,) = [one for one in detail["nodes"] if one["node"] == "wait"]
        if wait["exited_at"] is None:
            raise SystemExit(f"Execution {number} still waits.")
        late.append(datetime.fromisoformat(wait["exited_at"]).timestamp() - dues[number])
    return late


def _text(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment).astimezone().isoformat(timespec='milliseconds')}"
