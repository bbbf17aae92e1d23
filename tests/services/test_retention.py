"""Retention: what is old and closed goes to the archive and is read there as before; nothing else goes, and nothing is
lost, wherever a sweep dies."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from linkflow.adapters.clock import VirtualClock
from linkflow.engine.cancel import cancel
from linkflow.engine.engine import Engine
from linkflow.engine.retention import DAY, archive_batch, expire_batch, next_batch, sweep
from linkflow.engine.start import Start, start
from linkflow.engine.visit import visit
from linkflow.errors import Conflict
from linkflow.execution.events import Parent
from linkflow.ports import Blobs, Condition, Page, Range, Send, Table, Write
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import in_memory
from linkflow.search import Query
from linkflow.stores import index_keys, keys
from linkflow.stores.archive import Archive, Retention
from linkflow.stores.books import Books, Numbered
from linkflow.stores.catalogue import ScanningCatalogue
from linkflow.stores.records import Workflow
from linkflow.stores.summaries import Summaries
from tests.services.drawn import drawn

WS = "ws_a"
LIVE, ARCHIVED = index_keys.listed_executions(WS), index_keys.archived_executions(WS)
WORK = {
    "nodes": [
        {"id": "start", "type": "manual"},
        *({"id": f"n{n}", "type": "no_op"} for n in range(3)),
        {"id": "big", "type": "set", "config": {"values": {"text": "{{ trigger }}"}}},
    ],
    "edges": [
        {"source": source, "target": target}
        for source, target in (("start", "n0"), ("n0", "n1"), ("n1", "n2"), ("n2", "big"))
    ],
}
NAP = {
    "nodes": [{"id": "start", "type": "manual"}, {"id": "nap", "type": "delay", "config": {"seconds": 86_400 * 400}}],
    "edges": [{"source": "start", "target": "nap"}],
}
BIG = "".join(chr(0x4E00 + n * 7919 % 20_000) for n in range(90_000))
"""Cannot be compressed to less than what spills into a blob."""


class Died(Exception):
    """The process ended here."""


@dataclass(slots=True)
class Fuse:
    """Burns down by one at each call of a port; then the process dies, before the call or behind it."""

    left: int
    behind: bool

    def blown(self, *, behind: bool) -> None:
        if behind == self.behind:
            self.left -= 1
            if self.left == 0:
                raise Died


@dataclass(slots=True)
class Mortal:
    """A table and blobs on a fuse."""

    table: Table
    blobs: Blobs
    fuse: Fuse

    async def _do(self, call: Any) -> Any:
        try:
            self.fuse.blown(behind=False)
        except Died:
            call.close()
            raise
        outcome = await call
        self.fuse.blown(behind=True)
        return outcome

    async def get(self, key: Any) -> Any:
        return await self._do(self.blobs.get(key) if isinstance(key, str) else self.table.get(key))

    async def put(self, what: Any, content: Any = None, sends: Sequence[Send] = ()) -> Any:
        if isinstance(what, str):
            return await self._do(self.blobs.put(what, content))
        return await self._do(self.table.put(what, content, sends))

    async def query(self, what: Range) -> Page:
        return await self._do(self.table.query(what))  # type: ignore[no-any-return]

    async def delete(self, key: Any, when: Condition = None) -> None:
        await self._do(self.blobs.delete(key) if isinstance(key, str) else self.table.delete(key, when))

    async def transact(self, writes: Sequence[Write]) -> None:
        await self._do(self.table.transact(writes))


def over(engine: Engine, table: Any, blobs: Any) -> Engine:
    summaries = Summaries(table, engine.summaries.catalogue)
    return replace(engine, table=table, blobs=blobs, books=Books(table, blobs), summaries=summaries)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture(params=["catalogue", "listing"])
async def engine(request: pytest.FixtureRequest, clock: VirtualClock) -> AsyncIterator[Engine]:
    world = in_memory(Settings(), clock)
    engine = world.engine
    if request.param == "listing":
        engine = replace(engine, summaries=Summaries(engine.table, ScanningCatalogue(engine.table)))
    yield engine
    await world.close()


async def ran(engine: Engine, workflow: Workflow, given: Any = None, **more: Any) -> str:
    execution = await start(engine, Start(workflow, given, node="start", **more))
    await visit(engine, WS, execution)
    return execution


async def listed(engine: Engine, shelf: str) -> set[str]:
    return {one.execution for one in (await engine.summaries.search(Query(shelf, parts=True), 200)).summaries}


async def plain(engine: Engine, execution: str) -> list[Numbered]:
    """The book, wherever it is."""
    return [replace(one, archived=False) for one in await engine.books.whole(WS, execution)]


async def swept(engine: Engine) -> int:
    return await sweep(engine, WS, engine.clock.now(), engine.clock.now() + 1_000)


async def blobs_of(engine: Engine, executions: list[str]) -> list[str]:
    """What their books have spilled."""
    pages = [await engine.table.query(keys.book(WS, one, backwards=False, limit=100)) for one in executions]
    return [name for page in pages for item in page.items for name in engine.books.spilled(item)]


async def rows(engine: Engine, execution: str) -> list[str]:
    page = await engine.table.query(keys.book(WS, execution, backwards=False, limit=100))
    return [item.key.sk for item in page.items]


async def test_what_is_old_moves_to_the_archive_and_reads_as_before(engine: Engine, clock: VirtualClock) -> None:
    workflow = await drawn(engine, WORK, WS)
    old = [await ran(engine, workflow, {"n": n}, tags=("t",)) for n in range(3)] + [await ran(engine, workflow, BIG)]
    before = {one: await plain(engine, one) for one in old}
    states = {one: (await engine.books.load(WS, one)).state for one in old}  # type: ignore[union-attr]
    await clock.advance(20 * DAY)
    young = await ran(engine, workflow)
    await clock.advance(11 * DAY)
    assert await swept(engine) == 1
    assert await listed(engine, LIVE) == {young}
    assert await listed(engine, ARCHIVED) == set(old)
    tagged = await engine.summaries.search(Query(ARCHIVED, tags=("t",)), 10)
    assert {one.execution for one in tagged.summaries} == set(old[:3])
    for one in old:
        assert await rows(engine, one) == ["SUMMARY"]
        assert await plain(engine, one) == before[one]
        assert all(turn.archived for turn in await engine.books.whole(WS, one))
        book = await engine.books.load(WS, one)
        assert book is not None
        assert book.state == states[one]
        last = before[one][-1].number
        assert await engine.books.last_number(WS, one) == last
        assert [t.number for t in await engine.books.turns(WS, one, after=0, limit=2)] == [1, 2][:last]
        assert [t.number for t in await engine.books.turns_back(WS, one, before=2)] == [1, 0]
    assert await swept(engine) == 0


async def test_an_archived_execution_is_over_for_everybody(engine: Engine, clock: VirtualClock) -> None:
    execution = await ran(engine, await drawn(engine, WORK, WS))
    await clock.advance(31 * DAY)
    await swept(engine)
    with pytest.raises(Conflict, match="over already"):
        await cancel(engine, WS, execution, "us_1", "late")
    state = await visit(engine, WS, execution, resumed=True)
    assert state is not None
    assert state.status == "succeeded"
    assert await rows(engine, execution) == ["SUMMARY"]
    assert await listed(engine, ARCHIVED) == {execution}


async def test_what_is_open_or_what_an_open_parent_waits_for_stays(engine: Engine, clock: VirtualClock) -> None:
    parent = await ran(engine, await drawn(engine, NAP, WS))
    work = await drawn(engine, WORK, WS)
    child = await ran(engine, work, trigger="map", parent=Parent(parent, 0, 1))
    orphan = await ran(engine, work, trigger="map", parent=Parent("ex_gone", 0, 1))
    await clock.advance(31 * DAY)
    await swept(engine)
    assert await listed(engine, LIVE) == {parent, child}
    assert await listed(engine, ARCHIVED) == {orphan}


async def test_workflows_are_kept_as_long_as_is_said(engine: Engine, clock: VirtualClock) -> None:
    kept, short, other = [await drawn(engine, WORK, WS) for _ in range(3)]
    one, two, three = [await ran(engine, workflow) for workflow in (kept, short, other)]
    policy = Retention(days=30, workflows={kept.id: 0, short.id: 2})
    await Archive(engine.table, engine.blobs).set_retention(WS, policy)
    await clock.advance(3 * DAY)
    await swept(engine)
    assert await listed(engine, LIVE) == {one, three}
    await clock.advance(300 * DAY)
    await swept(engine)
    assert await listed(engine, LIVE) == {one}
    assert await listed(engine, ARCHIVED) == {two, three}


async def test_without_an_archive_old_executions_go_for_good(engine: Engine, clock: VirtualClock) -> None:
    execution = await ran(engine, await drawn(engine, WORK, WS), BIG, business_key="k")
    await Archive(engine.table, engine.blobs).set_retention(WS, Retention(archive=False))
    await clock.advance(31 * DAY)
    await swept(engine)
    assert await rows(engine, execution) == []
    assert await listed(engine, LIVE) | await listed(engine, ARCHIVED) == set()
    assert await engine.books.load(WS, execution) is None
    assert (await engine.table.query(keys.batches(WS, 10, newest_first=True))).items == []


async def test_the_archive_itself_ends_after_its_days(engine: Engine, clock: VirtualClock) -> None:
    execution = await ran(engine, await drawn(engine, WORK, WS))
    await Archive(engine.table, engine.blobs).set_retention(WS, Retention(days=1, archive_days=10))
    await clock.advance(2 * DAY)
    await swept(engine)
    archived = await engine.summaries.get(WS, execution)
    assert archived is not None
    assert archived.archived is not None
    await clock.advance(9 * DAY)
    assert not await expire_batch(engine, WS, clock.now())
    await clock.advance(2 * DAY)
    await swept(engine)
    assert await engine.summaries.get(WS, execution) is None
    assert await engine.blobs.get(archived.archived.blob) is None
    assert await listed(engine, ARCHIVED) == set()


async def test_an_execution_that_somebody_changed_meanwhile_is_left_alone(engine: Engine, clock: VirtualClock) -> None:
    execution = await ran(engine, await drawn(engine, WORK, WS))
    await clock.advance(31 * DAY)
    batch = (await next_batch(engine, WS, clock.now())).batch
    assert batch is not None
    await engine.summaries.replaced(WS, execution, "ex_new")
    assert await archive_batch(engine, WS, batch)
    assert len(await rows(engine, execution)) > 1
    assert await listed(engine, LIVE) == {execution}
    await clock.advance(1)
    await swept(engine)
    assert await rows(engine, execution) == ["SUMMARY"]
    assert await listed(engine, ARCHIVED) == {execution}


@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize("archives", [True, False])
async def test_wherever_a_sweep_dies_the_next_one_ends_it(clock: VirtualClock, *, behind: bool, archives: bool) -> None:
    """At the k-th call of a port, for every k: until then each book can be read whole, or is gone for good."""
    k, died = 0, True
    while died:
        k += 1
        world = in_memory(Settings(), clock)
        engine = world.engine
        await Archive(engine.table, engine.blobs).set_retention(WS, Retention(archive=archives))
        workflow = await drawn(engine, WORK, WS)
        old = [await ran(engine, workflow, n) for n in range(2)] + [await ran(engine, workflow, BIG)]
        before = {one: await plain(engine, one) for one in old}
        spilled = await blobs_of(engine, old)
        assert spilled
        await clock.advance(31 * DAY)
        mortal: Any = Mortal(engine.table, engine.blobs, Fuse(k, behind))
        died = False
        try:
            await swept(over(engine, mortal, mortal))
        except Died:
            died = True
        for one in old:
            book = await plain(engine, one)
            assert book == before[one] or (not archives and book == [])
        await swept(engine)
        for one in old:
            assert await plain(engine, one) == (before[one] if archives else [])
            assert await rows(engine, one) == (["SUMMARY"] if archives else [])
        assert await listed(engine, LIVE) == set()
        assert await listed(engine, ARCHIVED) == (set(old) if archives else set())
        assert await Archive(engine.table, engine.blobs).undone(WS) is None
        assert not [name for name in spilled if await engine.blobs.get(name) is not None]
        await world.close()
    assert k > 15
