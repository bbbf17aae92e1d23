"""The catalogue: what a query finds is what a filter over all summaries would have kept, in order, page by page."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace as changed

from linkflow.adapters.clock import VirtualClock
from linkflow.adapters.sqlite.catalogue import SqliteCatalogue
from linkflow.adapters.sqlite.queue import SqliteQueue
from linkflow.adapters.sqlite.store import Store
from linkflow.adapters.sqlite.table import SqliteTable
from linkflow.errors import Invalid
from linkflow.execution.state import Failure, State
from linkflow.search import Attribute, Query, Span, cursor_of, fits, pace, paced, position_of
from linkflow.stores import index_keys, keys
from linkflow.stores.catalogue import ScanningCatalogue, facets_of
from linkflow.stores.records import Summary
from linkflow.stores.summaries import Summaries
from tests.contract.families import Family
from tests.contract.family import QUEUES

WORKSPACE, SHELF = "ws_a", index_keys.listed_executions("ws_a")
BEGAN = 1_750_000_000.0
NAMES = ("", "", "Nightly import", "import of ORDERS", "ünïcode wörk")
KEYS = ("", "", "order-1", "order-12", "order-2", "o%_'")
TAGS = ("gold", "blue", "eu")
Wishes = dict[str, Callable[[], Any]]


def summary(rng: Random, number: int) -> Summary:
    closed = rng.random() < 0.8
    started = BEGAN + rng.randrange(1_000)
    failed = closed and rng.random() < 0.4
    return Summary(
        rng.choice((WORKSPACE, WORKSPACE, WORKSPACE, "ws_b")),
        f"ex_{number:026d}",
        rng.choice(("wf_1", "wf_2", "wf_3")),
        rng.choice((1, 2)),
        started,
        rng.choice(NAMES),
        rng.choice(("manual", "webhook", "map")),
        rng.choice(("failed", "timed_out")) if failed else "succeeded" if closed else "running",
        started + rng.randrange(100) if closed else None,
        rng.choice(("States.Timeout", "Shop.Down", None)) if failed else None,
        None if closed else started + 90,
        rng.choice(KEYS),
        tuple(rng.sample(TAGS, rng.randrange(3))),
        attributes(rng),
        parent=rng.choice(("", "", "ex_parent")),
    )


def attributes(rng: Random) -> dict[str, str | float | bool]:
    values: list[str | float | bool] = ["eu", "1", 1.0, 2.5, -3.0, True, False]
    return {name: rng.choice(values) for name in rng.sample(("region", "amount", "vip"), rng.randrange(3))}


def span(rng: Random, first: float, width: int) -> Span:
    ends = sorted(first + rng.randrange(width) for _ in range(2))
    return Span(*rng.choice(((ends[0], ends[1]), (ends[0], None), (None, ends[1]))))


def query(rng: Random) -> Query:
    asked = Query(SHELF, sort=rng.choice(("started_at", "closed_at", "duration")), descending=rng.random() < 0.5)
    wishes: Wishes = {
        "statuses": lambda: tuple(rng.sample(("running", "succeeded", "failed", "timed_out"), rng.randrange(1, 3))),
        "workflow": lambda: rng.choice(("wf_1", "wf_2", "wf_none")),
        "version": lambda: rng.choice((1, 2, 9)),
        "trigger": lambda: rng.choice(("manual", "map")),
        "started": lambda: span(rng, BEGAN, 1_000),
        "closed": lambda: span(rng, BEGAN, 1_100),
        "duration": lambda: span(rng, 0, 100),
        "business_key": lambda: rng.choice(("order-1", "o%_'", "order")),
        "business_prefix": lambda: rng.choice(("order", "order-1", "o%")),
        "tags": lambda: tuple(rng.sample(TAGS, rng.randrange(1, 3))),
        "attributes": lambda: (wish(rng), *((wish(rng),) if rng.random() < 0.3 else ())),
        "error": lambda: rng.choice(("Shop.Down", "States.Timeout")),
        "parent": lambda: "ex_parent",
        "words": lambda: tuple(rng.sample(("import", "orders", "order", "12", "timeout", "wörk"), rng.randrange(1, 3))),
    }
    chosen: dict[str, Any] = {name: wishes[name]() for name in rng.sample(sorted(wishes), rng.randrange(4))}
    return replace(asked, **chosen)


def wish(rng: Random) -> Attribute:
    name = rng.choice(("region", "amount", "vip"))
    if rng.random() < 0.4:
        return Attribute(name, span=span(rng, -4, 8))
    equal: list[str | float | bool] = ["eu", "1", 1.0, 2.5, True, False]
    return Attribute(name, rng.choice(equal))


async def put_all(summaries: Summaries, ones: list[Summary]) -> None:
    """Each is opened, and closed if it is over, as the engine does."""
    for one in ones:
        await summaries.open(changed(one, status="running", closed_at=None, error=None, check_at=1.0), b"opening")
        if one.closed_at is not None:
            await summaries.close(one.workspace, one.execution, state_of(one))


def state_of(one: Summary) -> State:
    failure = None if one.error is None else Failure(one.error, None)
    return State(status=one.status, closed_at=one.closed_at, failure=failure)


async def every_page(summaries: Summaries, asked: Query, limit: int) -> list[Summary]:
    found: list[Summary] = []
    cursor = None
    while True:
        page = await summaries.search(asked, limit, cursor)
        assert len(page.summaries) <= limit
        found += page.summaries
        if (cursor := page.cursor) is None:
            return found


async def all_agree(summaries: Summaries, rng: Random, queries: int, many: int = 120) -> None:
    ones = [summary(rng, number) for number in range(many)]
    await put_all(summaries, ones)
    for _ in range(queries):
        asked = query(rng)
        expected = [one for one in ones if fits(asked, facets_of(one))]
        found = await every_page(summaries, asked, rng.choice((3, 9, 200)))
        assert Counter(one.execution for one in found) == Counter(one.execution for one in expected), asked
        order = [facets_of(one).sorts_at(asked.sort) or 0.0 for one in found]
        assert order == sorted(order, reverse=asked.descending), asked
        counted = await summaries.count(asked)
        by_status = Counter(one.status for one in expected)
        assert {cell.status: cell.count for cell in counted.cells} == by_status, asked
        cells = (await summaries.count(asked, 300.0)).cells
        assert sum(cell.count for cell in cells) == len(expected)
        assert {(cell.workflow, cell.at) for cell in cells} == {
            (one.workflow, one.started_at // 300 * 300) for one in expected
        }


async def test_any_query_finds_what_a_filter_over_all_would_keep(family: Family) -> None:
    await all_agree(Summaries(family.table, family.catalogue), Random(7), 25, 60)


@pytest.mark.parametrize("seed", range(6))
async def test_reading_the_listing_finds_the_same_as_the_indexes(seed: int, clock: VirtualClock) -> None:
    store = Store.open(None)
    table = SqliteTable(store, SqliteQueue(store, clock, QUEUES))
    await all_agree(Summaries(table, ScanningCatalogue(table, read_at_most=25)), Random(seed), 80)
    await store.close()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("narrow", [1, 30])
async def test_whichever_way_is_taken_the_same_is_found(seed: int, narrow: int, clock: VirtualClock) -> None:
    store = Store.open(None)
    table = SqliteTable(store, SqliteQueue(store, clock, QUEUES))
    await all_agree(Summaries(table, SqliteCatalogue(store, narrow, tried=narrow)), Random(seed), 80)
    await store.close()


async def test_a_page_goes_on_where_the_last_one_ended_whatever_was_begun_meanwhile(family: Family) -> None:
    summaries = Summaries(family.table, family.catalogue)
    rng = Random(1)
    ones = [changed(summary(rng, number), workspace=WORKSPACE, trigger="manual") for number in range(40)]
    await put_all(summaries, ones)
    asked = Query(SHELF)
    first = await summaries.search(asked, 10)
    late = [changed(one, execution=f"ex_{n:026d}", started_at=BEGAN + 5_000) for n, one in enumerate(ones[:5], 900)]
    await put_all(summaries, [changed(one, status="running", closed_at=None, error=None) for one in late])
    cursor, rest = first.cursor, list(first.summaries)
    while cursor is not None:
        page = await summaries.search(asked, 10, cursor)
        rest, cursor = rest + page.summaries, page.cursor
    assert sorted(one.execution for one in rest) == [one.execution for one in ones]


async def test_a_cursor_of_another_query_and_no_cursor_at_all_are_told_apart(family: Family) -> None:
    summaries = Summaries(family.table, family.catalogue)
    await put_all(summaries, [changed(summary(Random(n), n), workspace=WORKSPACE, trigger="manual") for n in range(5)])
    cursor = (await summaries.search(Query(SHELF), 2)).cursor
    with pytest.raises(Invalid) as refused:
        await summaries.search(Query(SHELF, version=1), 2, cursor)
    assert "another query" in refused.value.details[0].message
    with pytest.raises(Invalid) as refused:
        await summaries.search(Query(SHELF), 2, "nonsense")
    assert "no cursor" in refused.value.details[0].message


async def test_what_would_take_too_much_reading_is_counted_in_parts_and_not_sorted(clock: VirtualClock) -> None:
    store = Store.open(None)
    table = SqliteTable(store, SqliteQueue(store, clock, QUEUES))
    summaries = Summaries(table, ScanningCatalogue(table, sorted_at_most=50))
    ones = [changed(summary(Random(n), n), workspace=WORKSPACE, trigger="manual") for n in range(120)]
    await put_all(summaries, ones)
    counted, cursor, parts = Counter[str](), None, 0
    while parts == 0 or cursor is not None:
        cells = await summaries.count(Query(SHELF), cursor=cursor)
        counted.update({cell.status: cell.count for cell in cells.cells})
        cursor, parts = cells.cursor, parts + 1
    assert parts == 3
    assert counted == Counter(one.status for one in ones)
    with pytest.raises(Invalid) as refused:
        await summaries.search(Query(SHELF, sort="duration"), 10)
    assert "narrow" in refused.value.details[0].message
    await store.close()


async def test_an_opening_that_comes_too_late_leaves_what_is_found_alone(family: Family) -> None:
    summaries = Summaries(family.table, family.catalogue)
    assert await summaries.open(Summary(WORKSPACE, "ex_1", "wf", 1, BEGAN, "first", tags=("a",)), b"")
    assert not await summaries.open(Summary(WORKSPACE, "ex_1", "wf", 1, BEGAN + 7, "second", tags=("b",)), b"")
    for asked, count in (
        (Query(SHELF), 1),
        (Query(SHELF, tags=("a",)), 1),
        (Query(SHELF, tags=("b",)), 0),
        (Query(SHELF, words=("second",)), 0),
        (Query(SHELF, started=Span(BEGAN + 1)), 0),
    ):
        assert len((await summaries.search(asked, 10)).summaries) == count, asked


async def test_what_is_deleted_is_found_no_more(family: Family) -> None:
    summaries = Summaries(family.table, family.catalogue)
    one = Summary(WORKSPACE, "ex_1", "wf", 1, BEGAN, "a name", business_key="k", tags=("t",))
    await summaries.open(one, b"")
    await family.table.delete(keys.summary(WORKSPACE, "ex_1"))
    await family.catalogue.forget(facets_of(one))
    for asked in (
        Query(SHELF),
        Query(SHELF, tags=("t",)),
        Query(SHELF, business_key="k"),
        Query(SHELF, words=("name",)),
    ):
        assert (await summaries.search(asked, 10)).summaries == []


async def test_a_summary_that_is_closed_by_two_at_once_keeps_what_either_wrote(family: Family) -> None:
    summaries = Summaries(family.table, family.catalogue)
    await summaries.open(Summary(WORKSPACE, "ex_1", "wf", 1, BEGAN, check_at=BEGAN), b"opening")
    state = State(status="succeeded", closed_at=BEGAN + 5)
    await summaries.close(WORKSPACE, "ex_1", state)
    seen = await summaries.item(WORKSPACE, "ex_1")
    assert seen is not None
    await summaries.check_again(seen, BEGAN + 900)
    await summaries.close(WORKSPACE, "ex_1", state)
    found = await summaries.get(WORKSPACE, "ex_1")
    assert found is not None
    assert (found.status, found.check_at) == ("succeeded", None)
    item = await family.table.get(keys.summary(WORKSPACE, "ex_1"))
    assert item is not None
    assert item.payload == b"opening"


@pytest.mark.parametrize("duration", [0.001, 0.25, 1.0, 59.9, 86_400.0, 3e7])
def test_a_class_of_durations_is_two_percent_wide(duration: float) -> None:
    assert paced(pace(duration)) == pytest.approx(duration, rel=0.0101)


def test_a_position_is_sealed_with_its_query() -> None:
    cursor = cursor_of(Query(SHELF), 1.5, 7)
    assert position_of(Query(SHELF), cursor).at == 1.5
