"""Taking a workspace away: everything of it goes, nothing of others, whatever dies meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from functions.api.workflows.service import create
from linkflow import ids
from linkflow.adapters.clock import VirtualClock, timeless_loop
from linkflow.engine.platform.bulk import begin, process_id
from linkflow.engine.platform.deletion import MACHINE
from linkflow.engine.platform.system import SYSTEM
from linkflow.engine.retention import sweep
from linkflow.engine.start import Start, start
from linkflow.engine.visit import visit
from linkflow.errors import Held
from linkflow.messages import LANE
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import World, in_memory
from linkflow.stores.accounts import Accounts
from linkflow.stores.archive import Archive, Retention
from linkflow.stores.dead_letters import DeadLetter
from linkflow.stores.operations import Operation
from linkflow.stores.rules import Rule, RuleItems
from tests.services.dying import over
from tests.services.test_callback_deliveries import Mortal, Receiver
from tests.services.ticking import Host, moment
from tests.unit.graphs import graph, node

DOOMED, SAFE = "ws_doomed", "ws_safe"
EXPIRE = ("OPERATION#", "IDEM#", "BEGUN#", "RATE#")
"""What remembers the deletion itself, or goes by itself."""


def play(script: Callable[[World], Awaitable[None]]) -> None:
    clock = VirtualClock(moment("2026-11-28T10:00:00Z"))

    async def whole() -> None:
        world = in_memory(Settings(secret="s" * 20), clock)
        world = replace(world, engine=replace(world.engine, http=Receiver(200, 500)))
        await script(world)
        await world.close()

    with asyncio.Runner(loop_factory=lambda: timeless_loop(clock)) as runner:
        runner.run(whole())


async def furnished(world: World, workspace: str, count: int = 40) -> str:
    """A workspace with something of everything; the id of its workflow."""
    nodes = [
        node("hook", "webhook", {"authentication": {"type": "bearer"}}),
        node("on", "event", {"type": "a.b"}),
        node("each", "schedule", {"cron": "0 0 * * *"}),
        node("wait", "delay", {"seconds": "{{ trigger.seconds }}"}),
    ]
    settings = {"callbacks": [{"url": "https://x/hear", "on": ["started", "completed", "failed"]}]}
    definition = graph(nodes, "hook -> wait", "each -> wait", "on -> wait", **settings)
    made = (await create(world, workspace, "furnished", "graph", definition)).workflow
    for seconds in (0, 10**6):
        for n in range(count):
            given = {"seconds": seconds, "n": n, "big": "x" * 200_000 if n == 0 else ""}
            await start(world.engine, Start(made, given, "webhook", "hook", tags=("a",), business_key=f"k{seconds}{n}"))
    for n in range(30):
        await world.engine.files.put(workspace, f"bucket{n % 2}", f"file{n}", b"content %d" % n, world.clock.now())
    await world.engine.dead_letters.bury(DeadLetter("lane", "why", world.clock.now(), 1, b"{}", workspace))
    await RuleItems(world.table).put(workspace, Rule("host:x", 1))
    await Archive(world.table, world.blobs).set_retention(workspace, Retention(days=1))
    await Accounts(world.table).issue(workspace, "us_x", "key", world.clock.now(), world.ids)
    await Host(world, without=("visibility_retention",)).run(120)
    await sweep(world.engine, workspace, world.clock.now() + 2 * 86_400, float("inf"))
    await start(world.engine, Start(made, {"seconds": 0, "n": 0}, "webhook", "hook"))
    await Host(world, without=("visibility_retention",)).run(20)
    return made.id


def held_of(world: World, workspace: str) -> list[str]:
    """Keys of items, names of blobs and facets in which the workspace is named."""
    reader = world.table._store._reader  # type: ignore[attr-defined]
    named = f"%{workspace}%"
    where = "pk LIKE ?1 OR listing_pk LIKE ?1 OR due_sk LIKE ?1 OR CAST(body AS TEXT) LIKE ?1"
    found = [f"{pk} {sk}" for pk, sk in reader.execute(f"SELECT pk, sk FROM item WHERE {where}", (named,))]  # noqa: S608
    found += [name for (name,) in reader.execute("SELECT name FROM blob WHERE name LIKE ?", (named,))]
    return found + [shelf for (shelf,) in reader.execute("SELECT shelf FROM facet WHERE shelf LIKE ?", (named,))]


async def doom(world: World) -> Operation:
    operation = Operation(world.ids.new(ids.OPERATION), DOOMED, "delete_workspace", "us_x", world.clock.now())
    return await begin(world.engine, operation, MACHINE)


def left_of(world: World, process: str) -> list[str]:
    return [one for one in held_of(world, DOOMED) if not one.startswith(EXPIRE) and process not in one]


def test_everything_of_a_workspace_goes_and_nothing_of_another() -> None:
    async def script(world: World) -> None:
        await furnished(world, DOOMED)
        await furnished(world, SAFE)
        before = len(held_of(world, SAFE))
        assert len(held_of(world, DOOMED)) > 200
        operation = await doom(world)
        await Host(world, without=("timer_schedules", "visibility_retention")).run(1_800)
        done = await world.engine.operations.get(DOOMED, operation.id)
        assert (done.status, done.stage) == ("done", "")
        assert left_of(world, process_id(operation.id)) == []
        assert len(held_of(world, SAFE)) >= before
        assert (await world.engine.switchboard.controls(0)).workspaces == {}

    play(script)


def test_a_workspace_that_is_being_deleted_begins_nothing() -> None:
    async def script(world: World) -> None:
        workflow = await furnished(world, DOOMED)
        await doom(world)
        await Host(world).run(30)
        found = await world.engine.workflows.get(DOOMED, workflow)
        refused: Any = None
        try:
            await start(world.engine, Start(found, {"seconds": 0}, "webhook", "hook"))
        except Held as error:
            refused = error
        assert "deleted" in refused.message

    play(script)


def test_a_deletion_whose_process_dies_at_every_call_goes_on() -> None:
    async def script(world: World) -> None:
        await furnished(world, DOOMED, 4)
        operation = await doom(world)
        process = process_id(operation.id)
        lives, deaths = 0, 0
        while True:
            life = Mortal(lives * 7 % 150, after=lives % 2 == 0)
            life.visit = asyncio.create_task(visit(over(world, life), SYSTEM, process))
            await asyncio.wait([life.visit])
            deaths += life.visit.cancelled()
            lives += 1
            for message in await world.queue.receive(LANE.name, 100):
                if message.group != process:
                    await visit(world.engine, DOOMED, str(message.group))
                await world.queue.delete([message])
            book = await world.engine.books.load(SYSTEM, process)
            if book is not None and book.state.closed:
                break
            await world.clock.sleep(61)
        assert book.state.status == "succeeded"
        assert deaths > 5
        assert left_of(world, process) == []

    play(script)
