"""Ten durable steps on Restate: its server in a process of its own, the steps in this one. Prints one line of JSON.

Run by `scripts/bench peers` with the Python of the peers' own environment: SERVER DIRECTORY.
"""

import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

BEGAN = time.perf_counter()

import httpx  # noqa: E402 (loading it is part of starting)
import restate  # noqa: E402 (same)
from hypercorn.asyncio import serve  # noqa: E402 (same)
from hypercorn.config import Config  # noqa: E402 (same)

ROUNDS = 40
MANY = 500
STEPS = 10
INGRESS, ADMIN, NODE, OURS = 18080, 19070, 15122, 19080

bench = restate.Service("bench")


@bench.handler()
async def ten(context: restate.Context, number: int) -> int:
    for each in range(STEPS):
        await context.run_typed(f"step{each}", lambda: each)  # noqa: B023 (it is run before the next)
    return number


def _server(command: str, directory: str) -> "subprocess.Popen[bytes]":
    settings = {
        "RESTATE_BASE_DIR": directory,
        "RESTATE_INGRESS__BIND_ADDRESS": f"127.0.0.1:{INGRESS}",
        "RESTATE_ADMIN__BIND_ADDRESS": f"127.0.0.1:{ADMIN}",
        "RESTATE_BIND_ADDRESS": f"127.0.0.1:{NODE}",
        "RESTATE_LISTEN_MODE": "tcp",
        "RESTATE_DISABLE_TELEMETRY": "true",
        "RUST_LOG": "error",
    }
    environment = {**os.environ, **settings}  # noqa: TID251 (a child's)
    return subprocess.Popen([command, "--no-logo"], env=environment, stdout=subprocess.DEVNULL, start_new_session=True)


async def _insist(http: httpx.AsyncClient, url: str, body: Any) -> httpx.Response:
    """Until the server is up."""
    while True:
        try:
            answer = await http.post(url, json=body)
        except httpx.TransportError:
            answer = httpx.Response(503)
        if answer.status_code < 300:
            return answer
        await asyncio.sleep(0.02)


def _resident(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 1e6


async def measured(server: "subprocess.Popen[bytes]") -> dict[str, float]:
    config = Config()
    config.bind = [f"127.0.0.1:{OURS}"]
    ours = asyncio.ensure_future(serve(restate.app([bench]), config, shutdown_trigger=asyncio.Event().wait))
    url = f"http://127.0.0.1:{INGRESS}/bench/ten"
    async with httpx.AsyncClient(timeout=120) as http:
        await _insist(http, f"http://127.0.0.1:{ADMIN}/deployments", {"uri": f"http://127.0.0.1:{OURS}"})
        await _insist(http, url, 0)
        told = {"first": time.perf_counter() - BEGAN, "memory": _resident(server.pid) + _resident(os.getpid())}
        took = []
        for number in range(ROUNDS):
            began = time.perf_counter()
            (await http.post(url, json=number)).raise_for_status()
            took.append(time.perf_counter() - began)
        told["median"] = statistics.median(took)
        gate = asyncio.Semaphore(32)

        async def one(number: int) -> None:
            async with gate:
                (await http.post(url, json=number)).raise_for_status()

        began = time.perf_counter()
        await asyncio.gather(*(one(number) for number in range(MANY)))
        told["rate"] = MANY * STEPS / (time.perf_counter() - began)
    ours.cancel()
    return told


def main(command: str, directory: str) -> None:
    server = _server(command, directory)
    try:
        print(json.dumps(asyncio.run(measured(server))))
    finally:
        os.killpg(server.pid, signal.SIGKILL)  # (what npm installs starts the server as a child of its own)


if __name__ == "__main__":
    main(*sys.argv[1:])
