"""Load j: two hundred thousand executions in the file store, and the first page of every filter."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

from msgspec.structs import replace as changed

from linkflow.adapters.clock import SystemClock
from linkflow.adapters.sqlite.catalogue import SqliteCatalogue
from linkflow.adapters.sqlite.queue import SqliteQueue
from linkflow.adapters.sqlite.store import Store
from linkflow.adapters.sqlite.table import SqliteTable
from linkflow.adapters.through import Through
from linkflow.execution.state import Failure, State, Status
from linkflow.messages import QUEUES
from linkflow.ports import Condition, Item, Send
from linkflow.search import Attribute, Query, Span
from linkflow.stores import index_keys
from linkflow.stores.records import Summary
from linkflow.stores.summaries import Summaries
from scripts.benchmarks.line import Line
from scripts.benchmarks.server import Server

MANY = 200_000
_WORKSPACE = "ws_bench"
_SHELF = index_keys.listed_executions(_WORKSPACE)
_BEGAN = 1_780_000_000.0
_EVERY = 3.0
"""Seconds between two starts: a week of them."""
_AT_ONCE = 1_000
_ROUNDS = 5
_STATUSES: tuple[Status, ...] = ("succeeded", "failed", "running")
_END = _BEGAN + MANY * _EVERY


class _Without(Through):
    """A table that is told nothing of facets: what starting and closing cost before."""

    async def put(self, item: Item, when: Condition = None, sends: Sequence[Send] = ()) -> Item | None:
        return await self.table.put(changed(item, facets=None), when, sends)


def _summary(rng: Random, number: int, workspace: str = _WORKSPACE) -> Summary:
    """Half of them have a business key and tags, one in ten a parent or failed, one in a hundred is open."""
    started = _BEGAN + number * _EVERY + rng.random()
    named = rng.random() < 0.5
    status = rng.choices(_STATUSES, (89, 10, 1))[0]
    return Summary(
        workspace,
        f"ex_{number:026d}",
        f"wf_{int(rng.paretovariate(0.7)) % 100:026d}",
        rng.randrange(1, 4),
        started,
        "the one and only" if number == MANY // 3 else "",
        rng.choices(("manual", "webhook", "map"), (5, 3, 2))[0],
        status,
        None if status == "running" else started + rng.lognormvariate(0, 2),
        f"Shop.Error{rng.randrange(20)}" if status == "failed" else None,
        started + 90,
        f"order-{number}" if named else "",
        tuple({f"tag{int(rng.paretovariate(0.5)) % 1_000}" for _ in range(2)}) if named else (),
        {"amount": float(rng.randrange(10_000)), "region": rng.choice(("eu", "us"))} if named else {},
        parent=f"ex_{rng.randrange(MANY):026d}" if rng.random() < 0.1 else "",
    )


async def _written(summaries: Summaries, one: Summary) -> None:
    await summaries.open(changed(one, status="running", closed_at=None, error=None), b"o" * 600)
    if one.closed_at is not None:
        failure = Failure(one.error, None) if one.error else None
        state = State(status=one.status, closed_at=one.closed_at, failure=failure)
        await summaries.close(one.workspace, one.execution, state)


async def _all_written(summaries: Summaries, ones: Sequence[Summary]) -> float:
    """CPU seconds for each."""
    cpu = time.process_time()
    for first in range(0, len(ones), _AT_ONCE):
        await asyncio.gather(*(_written(summaries, one) for one in ones[first : first + _AT_ONCE]))
    return (time.process_time() - cpu) / len(ones)


def _queries() -> dict[str, Query]:
    """One that fits most, few or nothing, of each kind."""
    everything, some = Query(_SHELF), Span(_BEGAN + 1_000, _BEGAN + 200_000)
    workflow, rare = f"wf_{1:026d}", f"wf_{97:026d}"
    plain = {
        "nothing asked": everything,
        "status": replace(everything, statuses=("failed",)),
        "status, none": replace(everything, statuses=("terminated",)),
        "open": replace(everything, statuses=("running",)),
        "workflow, most": replace(everything, workflow=workflow),
        "workflow, few": replace(everything, workflow=rare),
        "workflow, none": replace(everything, workflow="wf_none"),
        "version, none": replace(everything, version=99),
        "trigger, none": replace(everything, trigger="event"),
        "parts of Maps": replace(everything, trigger="map"),
        "started": replace(everything, started=some),
        "started, none": replace(everything, started=Span(_END + 1e6, None)),
        "closed": replace(everything, closed=some),
        "closed, none": replace(everything, closed=Span(None, _BEGAN - 1)),
        "duration": replace(everything, duration=Span(1.0, 2.0)),
        "duration, one in a million": replace(everything, duration=Span(50_000.0, None)),
        "business key": replace(everything, business_key="order-4711"),
        "business key, prefix": replace(everything, business_prefix="order-"),
        "business key, none": replace(everything, business_prefix="nobody"),
        "tag, most": replace(everything, tags=("tag1",)),
        "tag, few": replace(everything, tags=("tag777",)),
        "tags, both": replace(everything, tags=("tag1", "tag2")),
        "tag, none": replace(everything, tags=("tag1", "none")),
        "attribute": replace(everything, attributes=(Attribute("region", "eu"),)),
        "attribute, range": replace(everything, attributes=(Attribute("amount", span=Span(10.0, 5_000.0)),)),
        "attribute, few": replace(everything, attributes=(Attribute("amount", 17.0), Attribute("region", "eu"))),
        "error": replace(everything, error="Shop.Error3"),
        "error, none": replace(everything, error="Nobody"),
        "parent": replace(everything, parent=f"ex_{4711:026d}"),
        "text": replace(everything, words=("order",)),
        "text, one": replace(everything, words=("only", "the")),
        "text, none": replace(everything, words=("nothing",)),
        "much at once, none": replace(
            everything, statuses=("failed", "succeeded"), version=2, trigger="webhook", tags=("tag1",), error="Nobody"
        ),
        "status and version, none": replace(everything, statuses=("terminated",), version=2, duration=Span(0.5)),
    }
    oldest = {f"{name}, oldest first": replace(one, descending=False) for name, one in plain.items()}
    longest = {f"{name}, longest first": replace(one, sort="duration") for name, one in plain.items()}
    latest = {f"{name}, closed last": replace(one, sort="closed_at") for name, one in plain.items()}
    return {**plain, **oldest, **longest, **latest}


async def search(_: Server) -> list[Line]:
    """(j) The slowest first pages; what finding costs whoever starts and closes."""
    with tempfile.TemporaryDirectory(dir=".", prefix=".bench-") as data:
        store = Store.open(Path(data))
        table = SqliteTable(store, SqliteQueue(store, SystemClock(), QUEUES))
        summaries = Summaries(table, SqliteCatalogue(store))
        rng = Random(1)
        each = await _all_written(summaries, [_summary(rng, number) for number in range(MANY)])
        apart = [_summary(rng, number, "ws_apart") for number in range(20_000)]
        before = await _all_written(Summaries(_Without(table), summaries.catalogue), apart)
        took = {name: await _first_page(summaries, query) for name, query in _queries().items()}
        count = await _took(summaries.count(Query(_SHELF)))
        statistics = await _took(summaries.count(Query(_SHELF), 86_400.0))
        size = (Path(data) / "linkflow.db").stat().st_size / MANY
        await store.close()
    slowest = sorted(took, key=lambda name: -took[name])
    lines = [Line(f"j  {MANY:,}: {name}", f"{took[name] * 1000:.1f} ms", "≤ 50 ms") for name in slowest[:12]]
    return [
        *lines,
        Line("j  open and close", f"{each * 1e6:.0f} µs, {before * 1e6:.0f} µs unless found", "", f"{size:.0f} B each"),
        Line("j  count all; statistics by day", f"{count * 1000:.0f} ms; {statistics * 1000:.0f} ms", ""),
    ]


async def _first_page(summaries: Summaries, query: Query) -> float:
    """Of several, the median."""
    return statistics.median([await _took(summaries.search(query, 50)) for _ in range(_ROUNDS)])


async def _took(work: Awaitable[object]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began
