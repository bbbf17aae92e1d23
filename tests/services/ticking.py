"""The whole house in memory, on a clock that jumps: what takes days outside takes moments here."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from functions.api.workflows.service import create
from functions.services import declare
from linkflow.adapters.clock import VirtualClock, timeless_loop
from linkflow.engine.schedules import opening
from linkflow.language.recurrence.form import RecurrenceForm, to_recurrence
from linkflow.runtime.hosts.embedded import Embedded
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import World, in_memory
from linkflow.search import Query
from linkflow.stores import index_keys
from linkflow.stores.records import Summary
from linkflow.stores.schedules import Firing, Found, Schedule
from tests.unit.graphs import graph, node

WORKSPACE = "ws_test"


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def play(begin: str, script: Callable[[World], Awaitable[None]]) -> None:
    """Run `script` from the moment `begin`; waiting takes no time in it."""
    clock = VirtualClock(moment(begin))

    async def whole() -> None:
        world = in_memory(Settings(), clock)
        await script(world)
        await world.close()

    with asyncio.Runner(loop_factory=lambda: timeless_loop(clock)) as runner:
        runner.run(whole())


@dataclass(slots=True)
class Host:
    """One process that works until it is stopped."""

    world: World
    without: Sequence[str] = ()

    async def run(self, seconds: float) -> None:
        functions = [one for one in declare(self.world) if one.name not in self.without]
        embedded = Embedded(self.world, functions, long_poll=20)
        embedded.start()
        await self.world.clock.sleep(seconds)
        receiving = [pump._receiving for pump in embedded._pumps if pump._receiving is not None]
        everything = [*embedded._tasks, *embedded._tickers, *receiving]
        for task in everything:
            task.cancel()
        await asyncio.gather(*everything, return_exceptions=True)


async def workflow(world: World, seconds: float = 0) -> str:
    """One whose executions take so many seconds."""
    nodes = [node("start", "manual"), node("work", "delay", {"seconds": seconds})]
    made = await create(world, WORKSPACE, "report", "graph", graph(nodes, "start -> work"))
    return made.workflow.id


async def schedule(world: World, workflow_id: str, *, paused: bool = False, **form: Any) -> Schedule:
    written = RecurrenceForm(**form)
    now = world.clock.now()
    made = Schedule(
        WORKSPACE, world.ids.new("sch"), "nightly", workflow_id, to_recurrence(written), {}, now, now, {"n": 1},
        overlap=written.overlap, misfire=written.misfire, misfire_window=written.misfire_window, paused=paused,
    )  # fmt: skip
    puts, sends = opening(world.engine, made)
    await world.table.transact(puts)
    await world.queue.send(sends)
    return made


async def found(world: World, made: Schedule) -> Found:
    return await world.engine.schedules.get(WORKSPACE, made.id)


async def log(world: World, made: Schedule) -> Sequence[Firing]:
    return (await found(world, made)).standing.log


async def started(world: World) -> list[Summary]:
    """Every execution, in the order in which they began."""
    summaries: list[Summary] = []
    cursor = None
    while True:
        page = await world.engine.summaries.search(Query(index_keys.listed_executions(WORKSPACE)), 200, cursor)
        summaries += page.summaries
        cursor = page.cursor
        if cursor is None:
            return summaries[::-1]


async def due_of(world: World, execution: str) -> str:
    book = await world.engine.books.load(WORKSPACE, execution)
    assert book is not None
    return str(book.state.input["due_at"])
