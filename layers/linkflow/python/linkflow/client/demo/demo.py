"""The demonstration: a shop, a server of its own, one workflow, two orders by webhook, and what happened, on a page."""

import asyncio
import contextlib
import json
import shutil
import signal
import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from linkflow.client.client import AsyncClient
from linkflow.client.demo.server import server
from linkflow.client.demo.shop import FAILURES, Shop
from linkflow.client.records import Json, Workflow
from linkflow.client.timeline import timeline

BIG, SMALL = "1001", "1002"
_SOON = 5.0
_DEFINITION = Path(__file__).with_name("order_intake.json")
_NEXT = """
Nothing of this is left: the server, the shop and their data are gone. Now yours, in two terminals:

  {program} up                    # starts LinkFlow here, keeps everything in ./data, prints your key

  export LINKFLOW_KEY=<your key>
  echo '{hello}' > hello.json
  {program} workflows apply hello.json
  {program} run hello --input '{{"name": "world"}}'

The workflow of this demonstration: {definition}
"""
_HELLO = {
    "nodes": [
        {"id": "start", "type": "manual"},
        {"id": "greet", "type": "set", "config": {"values": {"text": "Hello, {{ trigger.name }}!"}}},
    ],
    "edges": [{"source": "start", "target": "greet"}],
}


def demo(console: Console) -> None:
    """All begins and ends in here. Raises `ApiError`; on Ctrl-C or SIGTERM `KeyboardInterrupt`, when all is gone."""
    with asyncio.Runner() as runner:
        try:
            runner.run(_show(console))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


async def _show(console: Console) -> None:
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    if task is not None:
        with contextlib.suppress(NotImplementedError):  # Windows has no such signal
            loop.add_signal_handler(signal.SIGTERM, task.cancel)
    async with Shop() as shop, server() as door:
        console.print(f"The shop is at {shop.address}; its stock service fails {FAILURES} times before it answers.")
        console.print(f"LinkFlow is at {door.address}.")
        async with AsyncClient(door.address, door.key) as client:
            await _tell(console, client, _definition(shop.address))
        console.print(f"\nThe shop was called {len(shop.calls)} times: {', '.join(shop.calls)}", highlight=False)
    console.print(_next(), markup=False, highlight=False, soft_wrap=True)


async def _tell(console: Console, client: AsyncClient, definition: Json) -> None:
    workflow = await client.create_workflow("order intake", definition)
    console.print(f"Workflow {workflow.id} has {len(definition['nodes'])} nodes and starts by webhook.")
    await _order(console, client, workflow, SMALL, "a small one, straight through")
    await _order(console, client, workflow, BIG, "a big one: who is it, is it there, and a second to think")
    newest = (await client.executions(1, workflow=workflow.id)).data[0]
    execution = await client.finished(newest.id, _SOON)
    console.print(f"\nWhat happened to order {BIG}:\n")
    console.print(timeline(execution, console.width))


async def _order(console: Console, client: AsyncClient, workflow: Workflow, order: str, why: str) -> None:
    url = workflow.hooks[0].url
    console.print(f"\n[bold]Order {order}[/], {why}\n  POST {escape(url)}", highlight=False)
    answer = await client.call_hook(url, {"order": order})
    console.print("  answer:", json.dumps(answer, ensure_ascii=False), markup=False, highlight=False, soft_wrap=True)


def _definition(shop: str) -> Json:
    return json.loads(_DEFINITION.read_text(encoding="utf-8").replace("SHOP", shop))


def _next() -> str:
    """The command as it can be typed here: a virtual environment that is not entered has its own path."""
    beside = Path(sys.executable).with_name("linkflow")
    program = "linkflow" if shutil.which("linkflow") or not beside.exists() else str(beside)
    return _NEXT.format(program=program, hello=json.dumps(_HELLO), definition=_DEFINITION)
