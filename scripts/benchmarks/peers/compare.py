"""`scripts/bench peers`: LinkFlow beside engines that can be had as packages, on this machine, one after the other.

All do the same: ten durable steps that do nothing, one execution at a time and 500 of them, 32 at a time, each in the
way its documentation shows first. DBOS is a library over SQLite in the caller's process; Restate a server, called over
HTTP, which calls its steps over HTTP; LinkFlow a server over SQLite that has its steps. What they need is installed
into `.bench-peers` at the first run (pip and npm).
"""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from scripts.benchmarks.client import Client
from scripts.benchmarks.graphs import chain
from scripts.benchmarks.server import server

_HOME: Final = Path(".bench-peers")
_HERE: Final = Path(__file__).parent
_PYTHON: Final = _HOME / "python" / "bin" / "python"
_PACKAGES: Final = ("dbos==3.4.0", "restate-sdk==1.3.0", "hypercorn==0.18.0", "httpx==0.28.1")
_RESTATE: Final = "@restatedev/restate-server@1.7.12"
_ROUNDS: Final = 40
_MANY: Final = 500
_STEPS: Final = 10

Measured = Mapping[str, float]
"""`first`: seconds from the start of the process to the first result; `median`: of one execution; `rate`: steps a
second; `memory`: MB after the first result."""


def _install() -> None:
    if not _PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", _HOME / "python"], check=True)
        subprocess.run([_PYTHON, "-m", "pip", "install", "--quiet", *_PACKAGES], check=True)
    if not (_HOME / "node_modules").exists():
        subprocess.run(["npm", "install", "--silent", "--prefix", _HOME, _RESTATE], check=True)


def _peer(script: str, *given: str) -> Measured:
    with tempfile.TemporaryDirectory(dir=_HOME) as data:
        command = [str(_PYTHON.absolute()), str(_HERE / script), *given, str(Path(data).absolute())]
        said = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout
    measured: Measured = json.loads(said.splitlines()[-1])
    return measured


async def _ours() -> Measured:
    began = time.perf_counter()
    with server() as on:
        client = Client(on, connections=32)
        await client.connect()
        path = f"/api/v1/workflows/{await client.create('ten', chain(_STEPS, 'no_op'))}/execute?wait=60"
        await client.call("POST", path, {})
        told = {"first": time.perf_counter() - began, "memory": on.memory_megabytes()}
        took = []
        for _ in range(_ROUNDS):
            start = time.perf_counter()
            await client.call("POST", path, {})
            took.append(time.perf_counter() - start)
        told["median"] = statistics.median(took)
        start = time.perf_counter()
        await asyncio.gather(*(client.call("POST", path, {}) for _ in range(_MANY)))
        told["rate"] = _MANY * _STEPS / (time.perf_counter() - start)
        client.close()
    return told


def main() -> None:
    _install()
    restate = str((_HOME / "node_modules" / ".bin" / "restate-server").absolute())
    rows = {
        "LinkFlow": asyncio.run(_ours()),
        "DBOS 3.4 (SQLite)": _peer("dbos_peer.py"),
        "Restate 1.7": _peer("restate_peer.py", restate),
    }
    table = Table("engine", "start to first result", "one of ten steps", "steps a second", "memory")
    for name, told in rows.items():
        ours = rows["LinkFlow"]
        table.add_row(
            name,
            f"{told['first']:.1f} s",
            f"{told['median'] * 1000:.1f} ms (× {told['median'] / ours['median']:.1f})",
            f"{told['rate']:,.0f} (× {told['rate'] / ours['rate']:.3f})",
            f"{told['memory']:.0f} MB",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
