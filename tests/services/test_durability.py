"""When outcomes are put: at each step, in groups, at the end. Counted in turns; and what a crash or a stranger's turn
makes of it."""

import asyncio
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from linkflow import ids
from linkflow.adapters.clock import VirtualClock
from linkflow.engine.cancel import cancel
from linkflow.engine.engine import Call, Engine, Integration, Told
from linkflow.engine.integrations import INTEGRATIONS
from linkflow.engine.news import tell
from linkflow.engine.start import Start, start
from linkflow.engine.visit import visit
from linkflow.execution.events import SignalReceived, TaskSucceeded
from linkflow.execution.state import State
from linkflow.language.graph.compile import content_hash
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import World, in_memory
from linkflow.stores.records import Workflow, WorkflowVersion
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

    def __init__(self, working: Working) -> None:
        self.working = working
        self.world: World = in_memory(Settings(), VirtualClock(), working)

    async def begin(self, definition: Any, dialect: str = "graph", *, express: bool = False) -> str:
        engine, now = self.world.engine, self.world.clock.now()
        workflow = Workflow("ws", self.world.ids.new(ids.WORKFLOW), "test", dialect, 1, now, now)
        text = msgspec.Raw(msgspec.json.encode(definition))
        content = content_hash([definition, express])
        version = WorkflowVersion(1, content_hash(definition) if not express else content, dialect, text, now, express)
        await engine.workflows.create(workflow, version, ())
        return await start(engine, Start(workflow, {"n": 1}, node="start" if dialect == "graph" else None))

    async def visit(self, execution: str, *, resumed: bool = False) -> State:
        state = await visit(self.world.engine, "ws", execution, resumed=resumed)
        assert state is not None
        return state

    async def turns(self, execution: str) -> int:
        return await self.world.engine.books.last_number("ws", execution) or 0


def line(names: list[str] = NAMES, **settings: Any) -> Any:
    edges = [f"{source} -> {target}" for source, target in pairwise(["start", *names])]
    return graph([node("start", "manual"), *map(node, names)], *edges, **settings)


@pytest.mark.parametrize(
    ("settings", "turns"),
    [
        ({}, STEPS),
        ({"durability": "step"}, STEPS),
        ({"durability": "group", "group_steps": 4, "group_seconds": 60}, STEPS // 4),
        ({"durability": "group", "group_steps": 5, "group_seconds": 60}, 3),
        ({"durability": "end"}, 1),
    ],
)
async def test_a_workflow_says_how_many_turns_its_steps_take(settings: Any, turns: int) -> None:
    stage = Stage(Working())
    execution = await stage.begin(line(**settings))
    state = await stage.visit(execution)
    assert (state.status, await stage.turns(execution)) == ("succeeded", turns)
    assert [name for name, _ in stage.working.calls] == NAMES
    book = await stage.world.engine.books.load("ws", execution)
    assert book is not None
    assert book.state.output == state.output


async def test_a_group_that_has_waited_long_enough_is_put_while_the_next_task_still_runs() -> None:
    stage = Stage(Working(stop=3))
    execution = await stage.begin(line(durability="group", group_seconds=5))
    visiting = asyncio.create_task(stage.visit(execution))
    await stage.working.stopped.wait()
    assert await stage.turns(execution) == 0
    clock = stage.world.clock
    assert isinstance(clock, VirtualClock)
    await clock.advance(6)
    while not await stage.turns(execution):  # noqa: ASYNC110 (the put finishes in its own time)
        await asyncio.sleep(0)
    stage.working.go.set()
    assert (await visiting).status == "succeeded"


async def test_a_node_may_ask_for_more_or_less_than_its_workflow() -> None:
    careful = line(durability="end")
    careful["nodes"][4]["durability"] = "step"
    careless = line()
    for one in careless["nodes"][1:]:
        one["durability"] = "end"
    for definition, turns in ((careful, 2), (careless, 1)):
        stage = Stage(Working())
        execution = await stage.begin(definition)
        await stage.visit(execution)
        assert await stage.turns(execution) == turns


@pytest.mark.parametrize("durability", ["step", "group", "end"])
@pytest.mark.parametrize("dies_at", [1, 2, 5, 7, STEPS])
async def test_a_crash_repeats_what_was_not_put_with_the_same_keys_and_nothing_else(
    durability: str, dies_at: int
) -> None:
    working = Working(stop=dies_at)
    stage = Stage(working)
    execution = await stage.begin(line(durability=durability, group_steps=3, group_seconds=60))
    visiting = asyncio.create_task(stage.visit(execution))
    await working.stopped.wait()
    visiting.cancel()
    await asyncio.gather(visiting, return_exceptions=True)
    done = {"step": dies_at - 1, "group": (dies_at - 1) // 3 * 3, "end": 0}[durability]
    assert (await stage.visit(execution, resumed=True)).status == "succeeded"
    assert [name for name, _ in working.calls] == NAMES[:dies_at] + NAMES[done:]
    assert len({key for _, key in working.calls}) == STEPS


@pytest.mark.parametrize("durability", ["step", "group", "end"])
async def test_a_stranger_who_writes_meanwhile_makes_nothing_run_twice(durability: str) -> None:
    """Neither in a group nor in the first turn, which is put late."""
    for stop in (1, 2, 6):
        working = Working(stop=stop)
        stage = Stage(working)
        execution = await stage.begin(line(durability=durability, group_steps=4, group_seconds=60))
        visiting = asyncio.create_task(stage.visit(execution))
        await working.stopped.wait()
        await tell(stage.world.engine, "ws", execution, SignalReceived("hello", 1, "s1"))
        working.go.set()
        assert (await visiting).status == "succeeded"
        assert [name for name, _ in working.calls] == NAMES


async def test_a_cancel_during_a_group_is_obeyed_with_what_was_done_on_record() -> None:
    working = Working(stop=6)
    stage = Stage(working)
    execution = await stage.begin(line(durability="end"))
    visiting = asyncio.create_task(stage.visit(execution))
    await working.stopped.wait()
    await cancel(stage.world.engine, "ws", execution, "us_1", "enough")
    clock = stage.world.clock
    assert isinstance(clock, VirtualClock)
    await clock.advance(2)
    assert (await visiting).status == "cancelled"


async def test_an_express_machine_is_recorded_when_it_waits_and_when_it_ends() -> None:
    states: dict[str, Any] = {
        name: {"Type": "Task", "Resource": "linkflow:no_op", "Next": following}
        for name, following in pairwise([*NAMES, "W"])
    }
    states["W"] = {"Type": "Wait", "Seconds": 100, "Next": "Z"}
    states["Z"] = {"Type": "Task", "Resource": "linkflow:no_op", "End": True}
    machine = {"StartAt": NAMES[0], "States": states}
    stage = Stage(Working())
    execution = await stage.begin(machine, "asl", express=True)
    await stage.visit(execution)
    assert await stage.turns(execution) == 1
    clock = stage.world.clock
    assert isinstance(clock, VirtualClock)
    await clock.advance(101)
    assert (await stage.visit(execution)).status == "succeeded"
    assert await stage.turns(execution) == 2


async def test_what_must_not_run_twice_is_on_record_before_it_begins() -> None:
    once = line(durability="end")
    once["nodes"][5]["at_most_once"] = True
    working = Working(stop=5)
    stage = Stage(working)
    execution = await stage.begin(once)
    visiting = asyncio.create_task(stage.visit(execution))
    await working.stopped.wait()
    assert await stage.turns(execution) > 0
    visiting.cancel()
    await asyncio.gather(visiting, return_exceptions=True)
    assert (await stage.visit(execution, resumed=True)).status == "failed"
    assert len(working.calls) == 5
