"""A world in memory whose tasks are watched, and whose visits are made by hand."""

import asyncio
from itertools import pairwise
from typing import Any

import msgspec
from msgspec.structs import replace

from linkflow import ids
from linkflow.adapters.clock import VirtualClock
from linkflow.engine.engine import Call, Engine, Integration, Told
from linkflow.engine.integrations import INTEGRATIONS
from linkflow.engine.start import Start, start
from linkflow.engine.visit import visit
from linkflow.execution.events import TaskSucceeded
from linkflow.execution.state import State
from linkflow.language.graph.compile import content_hash
from linkflow.ports import Item
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import World, in_memory
from linkflow.stores import keys
from linkflow.stores.records import Workflow, WorkflowVersion, encode
from tests.unit.graphs import graph, node

STEPS = 12
NAMES = [f"n{index}" for index in range(STEPS)]


class Working:
    """Does nothing, and remembers for whom; holds up the call number `stop` until `go`."""

    def __init__(self, stop: int | None = None) -> None:
        self.calls: list[tuple[str, str]] = []
        self.stop = stop
        self.stopped, self.go = asyncio.Event(), asyncio.Event()

    def get(self, resource: str, /) -> Integration | None:
        return self.work if resource == "linkflow:no_op" else INTEGRATIONS.get(resource)

    async def work(self, engine: Engine, call: Call) -> Told:
        task = call.task
        self.calls.append((task.node, task.key))
        if len(self.calls) == self.stop:
            self.stopped.set()
            await self.go.wait()
        return TaskSucceeded(task.scope, task.task, task.arguments, engine.clock.now(), engine.clock.now())


class Stage:
    """A world in memory and one execution in it, which visits are made to by hand."""

    def __init__(self, working: Working, settings: Settings | None = None) -> None:
        self.working = working
        self.clock = VirtualClock()
        self.world: World = in_memory(settings or Settings(), self.clock, working)

    async def begin(self, definition: Any, dialect: str = "graph", *, express: bool = False) -> str:
        workflow = await self.workflow(definition, dialect, express=express)
        node = "start" if dialect == "graph" else None
        return await start(self.world.engine, Start(workflow, {"n": 1}, node=node))

    async def workflow(self, definition: Any, dialect: str = "graph", *, express: bool = False) -> Workflow:
        engine, now = self.world.engine, self.clock.now()
        workflow = Workflow("ws", self.world.ids.new(ids.WORKFLOW), "test", dialect, 1, now, now)
        text = msgspec.Raw(msgspec.json.encode(definition))
        content = content_hash([definition, express])
        version = WorkflowVersion(1, content_hash(definition) if not express else content, dialect, text, now, express)
        await engine.workflows.create(workflow, version, ())
        return workflow

    async def newer(self, workflow: Workflow, definition: Any) -> Workflow:
        """The same workflow with a second version."""
        now, table = self.clock.now(), self.world.table
        text = msgspec.Raw(msgspec.json.encode(definition))
        version = WorkflowVersion(2, content_hash(definition), "graph", text, now)
        await table.put(Item(keys.version(workflow.workspace, workflow.id, 2), b"", encode(version)))
        newer = replace(workflow, version=2, updated_at=now)
        item = await table.get(keys.workflow(workflow.workspace, workflow.id))
        assert item is not None
        await table.put(Item(item.key, encode(newer), item.payload, item.version + 1, item.indexes))
        return newer

    async def visit(self, execution: str, *, resumed: bool = False) -> State:
        state = await visit(self.world.engine, "ws", execution, resumed=resumed)
        assert state is not None
        return state

    async def turns(self, execution: str) -> int:
        return await self.world.engine.books.last_number("ws", execution) or 0


def line(names: list[str] = NAMES, **settings: Any) -> Any:
    edges = [f"{source} -> {target}" for source, target in pairwise(["start", *names])]
    return graph([node("start", "manual"), *map(node, names)], *edges, **settings)
