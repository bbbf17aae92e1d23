"""One long execution in a process of its own, so that its memory can be told from anybody else's.

`python -m scripts.benchmarks.alone run LOAD [DIRECTORY]` runs it to its end (in memory, without a directory), and
`… load DIRECTORY TURNS EXECUTION` reads a book up to a turn, as a fresh visit would. Both print one line of JSON.
"""

import asyncio
import json
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

import msgspec

from functions.services import declare
from linkflow import ids
from linkflow.adapters.clock import SystemClock
from linkflow.adapters.through import Through
from linkflow.engine.start import Start, start
from linkflow.execution.advance import advance, owed
from linkflow.execution.events import News
from linkflow.execution.evolve import evolve
from linkflow.execution.state import State
from linkflow.language.graph.compile import content_hash
from linkflow.language.program import Program
from linkflow.ports import Blobs, Condition, Item, Send
from linkflow.runtime.hosts.embedded import Embedded
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import World, connect, in_memory
from linkflow.stores import keys
from linkflow.stores.books import Books, Numbered
from linkflow.stores.records import Workflow, WorkflowVersion
from scripts.benchmarks.long_ones import ITEMS, LONG, WIDE

_WORKSPACE = "bench"
_NEWS = get_args(News)


@dataclass(slots=True)
class _Written(Through):
    """A table that notes when each turn of a book was written, and how many bytes it has."""

    turns: list[tuple[str, float, int]] = field(default_factory=list)

    async def put(self, item: Item, when: Condition = None, sends: Sequence[Send] = ()) -> Item | None:
        outcome = await self.table.put(item, when, sends)
        if outcome is None and "TURN#" in item.key.sk:
            size = len(item.body) + len(item.payload or b"")
            self.turns.append((item.key.pk, time.perf_counter(), size))
        return outcome


@dataclass(slots=True)
class _Spilled:
    """Blobs, and what their contents weigh."""

    blobs: Blobs
    sizes: list[int] = field(default_factory=list)

    async def put(self, name: str, content: bytes) -> None:
        await self.blobs.put(name, content)
        self.sizes.append(len(content))

    async def get(self, name: str) -> bytes | None:
        return await self.blobs.get(name)

    async def delete(self, name: str) -> None:
        await self.blobs.delete(name)


def memory(kind: str) -> float:
    """Megabytes resident: `VmRSS` now, `VmHWM` at most."""
    found = re.search(kind + r":\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def _forget_peak() -> None:
    """`VmHWM` begins anew (proc(5), `clear_refs`)."""
    Path("/proc/self/clear_refs").write_text("5")


async def _world(directory: str | None) -> World:
    if directory is None:
        return in_memory(Settings(), SystemClock())
    return await connect(Settings(data=Path(directory)))


async def run(load: str, directory: str | None) -> dict[str, Any]:
    world = await _world(directory)
    written, spilled = _Written(world.table), _Spilled(world.blobs)
    books = Books(written, spilled)
    engine = replace(world.engine, books=books)
    world = replace(world, engine=engine)
    dialect, definition = (LONG | WIDE)[load]
    given = {"n": 0} if load in LONG else {"items": ITEMS}
    now = world.clock.now()
    workflow = Workflow(_WORKSPACE, world.ids.new(ids.WORKFLOW), load, dialect, 1, now, now)
    text = msgspec.Raw(msgspec.json.encode(definition))
    version = WorkflowVersion(1, content_hash(definition), dialect, text, now)
    async with Embedded(world, declare(world)):
        await engine.workflows.create(workflow, version, ())
        program = engine.programs.of(version)
        idle, cpu, began = memory("VmRSS"), time.process_time(), time.perf_counter()
        execution = await start(engine, Start(workflow, given, node=program.manual_start))
        state = await engine.closings.expect(execution)
        told: dict[str, Any] = {
            "seconds": time.perf_counter() - began,
            "cpu": time.process_time() - cpu,
            "peak": memory("VmHWM") - idle,
            "idle": idle,
            "status": state.status,
            "failure": str(state.failure),
            "execution": execution,
        }
        told |= _of_turns(keys.turn(_WORKSPACE, execution, 1).pk, written, spilled)
        began = time.perf_counter()
        await books.load(_WORKSPACE, execution)
        told["load"] = time.perf_counter() - began
        if load in LONG:
            told["core"] = await _core_seconds(books, program, execution) / told["turns"]
    return told


def _of_turns(book: str, written: _Written, spilled: _Spilled) -> dict[str, Any]:
    """The pace is that of the book's own turns; the bytes are those of every book, its child executions' too."""
    moments = [at for pk, at, _ in written.turns if pk == book]
    hundred = min(100, len(moments) // 2)
    first = (moments[hundred] - moments[0]) / hundred if hundred else 0.0
    last = (moments[-1] - moments[-1 - hundred]) / hundred if hundred else 0.0
    sizes = [*(size for _, _, size in written.turns), *spilled.sizes]
    told = {"turns": len(moments), "bytes": sum(sizes), "largest": max(sizes, default=0)}
    return {**told, "first": first, "last": last}


async def _core_seconds(books: Books, program: Program, execution: str) -> float:
    """What the pure core needs for the whole book, told the same news again; it must decide the same."""
    state, spent, after = State(), 0.0, -1
    while page := await books.turns(_WORKSPACE, execution, after):
        for numbered in page:
            spent += _again(program, state, numbered)
        after = page[-1].number
    return spent


def _again(program: Program, state: State, numbered: Numbered) -> float:
    at, events = numbered.turn.at, numbered.turn.events
    if numbered.number == 0:
        for event in events:
            evolve(state, event, at)
        return 0.0
    news = [event for event in events if isinstance(event, _NEWS)]
    began = time.process_time()
    if numbered.number == 1:  # what follows from the opening was not written before its tasks ran
        opened = advance(program, state, (), at)
        decided = opened if len(opened) == len(events) else advance(program, state, news, at)
    else:
        decided = advance(program, state, news, at)
    owed(program, state)
    spent = time.process_time() - began
    if numbered.number > 1 and tuple(decided) != events:
        raise SystemExit(f"Turn {numbered.number} is decided otherwise when it is told again.")
    return spent


async def load(directory: str, turns: int, execution: str) -> dict[str, Any]:
    """Everything behind turn number `turns` is removed first; then the book is read."""
    world = await _world(directory)
    books = world.engine.books
    while later := await books.turns(_WORKSPACE, execution, turns):
        for numbered in later:
            await world.table.delete(keys.turn(_WORKSPACE, execution, numbered.number))
    await world.close()
    _forget_peak()
    world = await _world(directory)
    idle, began = memory("VmRSS"), time.perf_counter()
    book = await world.engine.books.load(_WORKSPACE, execution)
    took = time.perf_counter() - began
    await world.close()
    scopes = len(book.state.scopes) if book else 0
    return {"seconds": took, "peak": memory("VmHWM") - idle, "idle": idle, "scopes": scopes}


def main(verb: str, *given: str) -> None:
    if verb == "run":
        told = asyncio.run(run(given[0], given[1] if len(given) > 1 else None))
    else:
        told = asyncio.run(load(given[0], int(given[1]), given[2]))
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
