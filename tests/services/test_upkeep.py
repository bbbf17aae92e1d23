"""Retention and redrive as processes of the platform, over REST and on a clock that jumps."""

from functions.visibility.service import keep
from linkflow import ids
from linkflow.engine.dead_letters import Wanted, listed
from linkflow.engine.platform.bulk import begin, process_id
from linkflow.engine.platform.system import SYSTEM
from linkflow.engine.platform.upkeep import REDRIVE
from linkflow.engine.start import Start, start
from linkflow.messages import LANE
from linkflow.runtime.wiring import World
from linkflow.search import Query
from linkflow.stores import keys
from linkflow.stores.archive import Archive, Retention
from linkflow.stores.dead_letters import DeadLetter
from linkflow.stores.operations import Operation
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
        assert await shelf(world, keys.listed_executions(WORKSPACE)) == 0
        assert await shelf(world, keys.archived_executions(WORKSPACE)) == 120
        begun = await world.engine.summaries.search(Query(keys.listed_executions(SYSTEM)), 50)
        assert [(one.name, one.status) for one in begun.summaries].count(("retention", "succeeded")) == 2

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
