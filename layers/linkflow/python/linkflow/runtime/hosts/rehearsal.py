"""One execution from its beginning to its end, in memory, with a clock that jumps: waiting takes no time.

It is the embedded host with other ports: the same functions, queues, visits and books. Whoever tries a definition out
(`linkflow asl run`) gets what a server would have given, and so do the cases recorded on AWS.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import msgspec

from linkflow import ids
from linkflow.adapters.clock import SystemClock, VirtualClock, timeless_loop
from linkflow.engine.engine import Integrations
from linkflow.engine.integrations import INTEGRATIONS
from linkflow.engine.start import Start, start
from linkflow.execution.events import Names
from linkflow.execution.state import State
from linkflow.language.graph.compile import content_hash
from linkflow.language.json import Json
from linkflow.language.program import Program
from linkflow.ports import Ids
from linkflow.runtime.functions import Declare
from linkflow.runtime.hosts.embedded import Embedded
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import World, in_memory
from linkflow.stores.books import Turn
from linkflow.stores.records import Workflow, WorkflowVersion

WORKSPACE = "rehearsal"
_DAY = 86_400.0
_PAGE = 200


@dataclass(frozen=True, slots=True)
class Piece:
    """What is rehearsed: a definition that has passed its check, and what the execution starts with. `seconds` is how
    much time may pass in it, `begins` the moment it starts at (None: now)."""

    dialect: str
    definition: Json
    input: Json = None
    name: str = "rehearsal"
    names: Names | None = None
    begins: float | None = None
    seconds: float = 7 * _DAY
    allow_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """The execution as its book has it in the end; still running if it waits for longer than it was given."""

    program: Program
    state: State
    turns: Sequence[Turn]


Company = Callable[[World], Awaitable[None]]
"""Whoever works beside the execution: a remote worker, somebody who signals it. Ends with the rehearsal."""


def rehearse(
    declare: Declare, piece: Piece, integrations: Integrations = INTEGRATIONS, company: Company | None = None
) -> Rehearsed:
    """Run the piece. Tasks that reach out do so for real, unless `integrations` carry them out."""
    clock = VirtualClock(SystemClock().now() if piece.begins is None else piece.begins)
    with asyncio.Runner(loop_factory=lambda: timeless_loop(clock)) as runner:
        return runner.run(_play(declare, piece, clock, integrations, company))


async def _play(
    declare: Declare, piece: Piece, clock: VirtualClock, integrations: Integrations, company: Company | None
) -> Rehearsed:
    world = in_memory(Settings(allow_hosts=piece.allow_hosts), clock, integrations)
    embedded = Embedded(world, declare(world), long_poll=piece.seconds)
    embedded.start()
    beside = asyncio.ensure_future(company(world)) if company is not None else None
    try:
        workflow, version = _written(piece, world.ids, clock.now())
        await world.engine.workflows.create(workflow, version, ())
        program = world.engine.programs.of(version)
        request = Start(workflow, piece.input, node=program.manual_start, name=piece.name, names=piece.names)
        execution = await start(world.engine, request)
        await _closed(world, execution, piece.seconds)
        book = await world.engine.books.load(WORKSPACE, execution)
        assert book is not None  # noqa: S101 (it was started above)
        return Rehearsed(program, book.state, await _turns(world, execution))
    finally:
        if beside is not None:
            beside.cancel()
        await embedded.stop(grace=0)


def _written(piece: Piece, names: Ids, now: float) -> tuple[Workflow, WorkflowVersion]:
    text = msgspec.Raw(msgspec.json.encode(piece.definition))
    workflow = Workflow(WORKSPACE, names.new(ids.WORKFLOW), piece.name, piece.dialect, 1, now, now)
    return workflow, WorkflowVersion(1, content_hash(piece.definition), piece.dialect, text, now)


async def _closed(world: World, execution: str, seconds: float) -> None:
    """Until the execution closes, at most `seconds`."""
    curtain = asyncio.ensure_future(world.clock.sleep(seconds))
    while not curtain.done():
        told = world.engine.closings.expect(execution)
        summary = await world.engine.summaries.get(WORKSPACE, execution)
        if summary is not None and summary.status != "running":
            curtain.cancel()
            return
        either: list[asyncio.Future[State] | asyncio.Future[None]] = [told, curtain]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)


async def _turns(world: World, execution: str) -> list[Turn]:
    turns: list[Turn] = []
    after = -1
    while page := await world.engine.books.turns(WORKSPACE, execution, after, _PAGE):
        turns += [numbered.turn for numbered in page]
        after = page[-1].number
    return turns
