"""Runs the demonstration: a shop, a server of its own, one workflow, two orders, and what happened, on a page."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from rich.console import Console

from linkflow.client.client import Client
from linkflow.client.demo.shop import Shop
from linkflow.client.timeline import timeline

BIG, SMALL = "1001", "1002"


async def show(console: Console) -> None:
    """Everything begins and ends in here."""
    async with Shop() as shop:
        console.print(f"The shop listens at {shop.address}. Its stock service fails twice before it answers.")
        with tempfile.TemporaryDirectory() as data, _server(Path(data)) as (address, key):
            console.print(f"LinkFlow listens at {address}.\n")
            await asyncio.to_thread(_tell, console, shop.address, address, key)


def _tell(console: Console, shop: str, address: str, key: str) -> None:
    text = files("linkflow.client.demo").joinpath("order_intake.json").read_text()
    definition = json.loads(text.replace("SHOP", shop))
    with Client(address, key) as client:
        workflow = client.create_workflow("order intake", definition)
        hook = workflow["hooks"][0]["url"]
        for order, why in ((SMALL, "a small order: straight through"), (BIG, "a big one: asks customer and stock")):
            console.print(f"[bold]POST {hook[:-36]}…[/] order {order}, {why}")
            console.print("  answer:", client.call_hook(hook, {"order": order}), "\n")
        newest = client.executions(limit=1)[0]
        console.print("What happened to the big order:\n")
        console.print(timeline(_closed(client, newest["id"])))
    console.print("\nNow yours: [bold]scripts/run[/] starts LinkFlow and says what to try; the README has the map.")


def _closed(client: Client, identifier: str) -> object:
    """The answer may come a moment before the last turn is written."""
    for _ in range(100):
        found = client.execution(identifier)
        if found["status"] != "running":
            return found
    return client.execution(identifier)


@contextmanager
def _server(data: Path) -> Iterator[tuple[str, str]]:
    """A server process that may call this machine; its address and key. It is gone when the context is left."""
    command = [sys.executable, "-m", "functions", "--port", "0", "--data", str(data), "--allow", "127.0.0.1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, process_group=0) as process:  # noqa: S603 (our own program)
        try:
            yield _announced(process)
        finally:
            os.killpg(process.pid, signal.SIGTERM)


def _announced(process: subprocess.Popen[str]) -> tuple[str, str]:
    said = ""
    assert process.stdout is not None  # noqa: S101 (asked for above)
    for line in process.stdout:
        said += line
        key = re.search(r"export KEY=(\S+)", said)
        if key:
            address = re.search(r"LinkFlow is at (\S+)", said)
            return address[1] if address else "", key[1]
    raise SystemExit("The server did not start; the lines above say why.")
