"""Retention and redrive as processes of the platform, over REST and on a clock that jumps."""

import asyncio

from functions.visibility.service import keep
from linkflow import ids
from linkflow.engine.dead_letters import Wanted, listed
from linkflow.engine.platform.bulk import begin, process_id
from linkflow.engine.platform.system import SYSTEM
from linkflow.engine.platform.upkeep import REDRIVE
from linkflow.engine.start import Start, start
from linkflow.engine.visit import visit
from linkflow.messages import LANE
from linkflow.runtime.wiring import World
from linkflow.search import Query
from linkflow.stores import index_keys
from linkflow.stores.archive import Archive, Retention
from linkflow.stores.dead_letters import DeadLetter
from linkflow.stores.operations import Operation
from tests.services.dying import over
from tests.services.test_callback_deliveries import Mortal
from tests.services.ticking import WORKSPACE, Host, play, workflow


async def shelf(world: World, name: str) -> int:
    found, cursor = 0, None
    while True:
        page = await world.engine.summaries.search(Query(name), 200, cursor)
        found, cursor = found + len(page.summaries), page.cursor
        if cursor is None:
            return found


def test_a_days_retention_archives_all_that_is_due_and_runs_once_however_often_it_is_asked_for() -> None:
    async def script(world: World) -> None:
        made = await world.engine.workflows.get(WORKSPACE, await workflow(world))
        for _ in range(120):
            await start(world.engine, Start(made, {}))
        await Archive(world.table, world.blobs).set_retention(WORKSPACE, Retention(days=3))
        host = Host(world, without=("visibility_retention",))
        await host.run(60)
        await world.clock.sleep(4 * 86_400)
        for _ in range(3):
            await keep(world, world.clock.now())
        await host.run(120)
        assert await shelf(world, index_keys.listed_executions(WORKSPACE)) == 0
        assert await shelf(world, index_keys.archived_executions(WORKSPACE)) == 120
        begun = await world.engine.summaries.search(Query(index_keys.listed_executions(SYSTEM)), 50)
        assert [(one.name, one.status) for one in begun.summaries].count(("retention", "succeeded")) == 2

    play("2026-11-28T10:00:00Z", script)


def test_what_the_platform_ran_goes_for_good_after_a_month() -> None:
    async def script(world: World) -> None:
        host = Host(world, without=("visibility_retention",))
        await keep(world, world.clock.now())
        await host.run(60)
        assert await shelf(world, index_keys.listed_executions(SYSTEM)) == 1
        await world.clock.sleep(31 * 86_400)
        await keep(world, world.clock.now())
        await host.run(60)
        assert await shelf(world, index_keys.listed_executions(SYSTEM)) == 1
        assert await shelf(world, index_keys.archived_executions(SYSTEM)) == 0

    play("2026-11-28T10:00:00Z", script)


def test_dead_letters_are_sent_again_in_batches_and_those_of_others_stay() -> None:
    async def script(world: World) -> None:
        now = world.clock.now()
        for whose, count in ((WORKSPACE, 60), ("ws_other", 2)):
            for n in range(count):
                body = b'{"type":"wake","workspace":"%b","execution":"ex_%d"}' % (whose.encode(), n)
                await world.engine.dead_letters.bury(DeadLetter(LANE.name, "why", now, 1, body, whose, f"ex_{n}"))
        operation = Operation(world.ids.new(ids.OPERATION), WORKSPACE, "redrive", "us_x", now, stage=LANE.name)
        await begin(world.engine, operation, REDRIVE)
        await Host(world).run(60)
        done = await world.engine.operations.get(WORKSPACE, operation.id)
        assert (done.status, done.done) == ("done", 60)
        left, _ = await listed(world.engine, Wanted(None), 100)
        assert {letter.workspace for letter in left} == {"ws_other"}
        book = await world.engine.books.load(SYSTEM, process_id(operation.id))
        assert book is not None
        assert book.state.status == "succeeded"

    play("2026-11-28T10:00:00Z", script)


def test_an_operation_whose_process_dies_at_every_call_is_carried_out() -> None:
    """What a batch did before it died may be counted as skipped, or not be found again; it is done all the same."""

    async def script(world: World) -> None:
        made = await world.engine.workflows.get(WORKSPACE, await workflow(world, 10**7))
        for _ in range(8):
            await start(world.engine, Start(made, {}))
        await Host(world).run(5)
        query = Query(index_keys.listed_executions(WORKSPACE), statuses=("running",))
        now = world.clock.now()
        operation = Operation(world.ids.new(ids.OPERATION), WORKSPACE, "terminate", "us_x", now, query)
        await begin(world.engine, operation)
        process, lives, deaths = process_id(operation.id), 0, 0
        while (await world.engine.operations.open(operation)).status == "running":
            life = Mortal(lives, after=lives % 2 == 0)
            life.visit = asyncio.create_task(visit(over(world, life), SYSTEM, process))
            await asyncio.wait([life.visit])
            deaths += life.visit.cancelled()
            lives += 1
            await world.clock.sleep(1)
        await Host(world).run(900)  # (a wake that was lost with its process is the watchdog's to mend)
        done = await world.engine.operations.get(WORKSPACE, operation.id)
        assert done.status == "done"
        assert done.seen <= 8
        assert deaths > 10
        page = await world.engine.summaries.search(Query(index_keys.listed_executions(WORKSPACE)), 50)
        assert {one.status for one in page.summaries} == {"terminated"}

    play("2026-11-28T10:00:00Z", script)
