"""Workspaces take turns: one that starts many executions does not hold up another's."""

from functools import partial

from functions.services import declare
from linkflow.adapters.clock import SystemClock
from linkflow.engine.start import Start, start
from linkflow.runtime.hosts.embedded import Embedded
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import in_memory
from scripts.benchmarks.cost import write_workflow
from tests.unit.graphs import graph, node

MANY = 400


async def test_the_one_execution_of_a_small_workspace_comes_soon_behind_a_large_ones_many() -> None:
    world = in_memory(Settings(concurrency=2), SystemClock())
    definition = graph([node("start", "manual"), node("work")], "start -> work")
    large, small = [await write_workflow(world, definition, workspace) for workspace in ("ws_large", "ws_small")]
    order: list[str] = []

    def note(workspace: str, _: object) -> None:
        order.append(workspace)

    for workflow, count in ((large, MANY), (small, 1)):
        for _ in range(count):
            execution = await start(world.engine, Start(workflow, None, node="start"))
            last = world.engine.closings.expect(execution)
            last.add_done_callback(partial(note, workflow.workspace))
    async with Embedded(world, declare(world)):
        await last
    assert order.index("ws_small") < 10
