"""One story: a plan played out, from empty stores to the last message, in virtual time.

    visitors, workers, … ──▶ hosts (processes that die, freeze, start again) ──▶ weather ──▶ shared stores
                               └──▶ outside ──▶ tokens come back

It ends when every execution is closed and every queue is empty, or when the time is up that this may take.
"""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from random import Random
from typing import Final

from functions.api.callbacks.schemas import CreateCallback
from functions.api.callbacks.service import create as create_callback
from functions.api.schedules.schemas import CreateSchedule
from functions.api.schedules.service import create as create_schedule
from functions.api.workflows.service import create
from linkflow.adapters.clock import VirtualClock, timeless_loop
from linkflow.engine.platform.system import SYSTEM
from linkflow.language.program import Program
from linkflow.messages import QUEUES
from linkflow.ports import Index, Range
from linkflow.runtime.wiring import World
from linkflow.stores import index_keys
from linkflow.stores.records import Summary, decode
from linkflow.stores.schedules import Schedules
from tests.simulation.bearers import Bearers
from tests.simulation.cast import WORKSPACES, Cast, Part, Timetable
from tests.simulation.hosts import Hosts
from tests.simulation.outside import HEARS, SIMULATED_NODES, Outside
from tests.simulation.plan import Plan
from tests.simulation.played import BEGINS, Played, Scheduled
from tests.simulation.processes import Make, Process, Stores, remember_tasks
from tests.simulation.visitors import Visitors
from tests.simulation.weather import Weather
from tests.simulation.workers import Workers

LOOK_EVERY: Final = 7.0
"""Virtual seconds between two looks at whether the story is over."""
PUNCTUAL: Final = 10.0
"""Seconds by which a moment may be missed although nothing happens: calls take their time."""
AS_LONG: Final = 4
"""So many times as long as where nothing happens a story may take in which attempts time out, or every wait that goes
from one host to another takes as much longer as their clocks are apart."""
LATEST: Final = 100.0
"""By then every visitor has come and everything planned has happened."""


def play(plan: Plan, cast: Cast, within: float, compiled: dict[str, Program], *, telling: bool = False) -> Played:
    """The story. `within`: virtual seconds in which it must end once nothing befalls it any more. `compiled` are the
    cast's programs so far, by the hash of their content."""
    clock = VirtualClock(BEGINS)
    with _silence(), asyncio.Runner(loop_factory=lambda: timeless_loop(clock)) as runner:
        runner.get_loop().set_task_factory(remember_tasks)
        runner.get_loop().set_exception_handler(lambda *_: None)  # (what dies with its process is nobody's error)
        return runner.run(_Stage(plan, cast, clock, compiled, telling=telling).play(within))


@contextmanager
def _silence() -> Iterator[None]:
    """Faults make the engine log, thousands of times."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


class _Stage:
    def __init__(
        self, plan: Plan, cast: Cast, clock: VirtualClock, compiled: dict[str, Program], *, telling: bool
    ) -> None:
        self.clock, self.stores = clock, Stores.empty(clock)
        weather = Weather(list(plan.faults), plan.latencies, last=clock.now())
        outside = Outside(clock, cast.seed, cast.failing, Random(f"outside {plan.seed}"), plan.slow, cast.padding)
        self.played = Played(plan, cast, self.stores, [], weather, outside, compiled)
        self.hosts = Hosts(self.played, Make(plan.visit, plan.apart, SIMULATED_NODES, compiled, telling))
        self.visitors = Visitors(self.hosts)
        bearers = Bearers(self.hosts)
        outside.token_came, outside.vote_wanted = bearers.token_came, bearers.vote_wanted

    async def play(self, within: float) -> Played:
        plan = self.played.plan
        self.played.latest = within if plan.seed >= 0 else PUNCTUAL
        await self._prepare()
        self.hosts.start()
        for visitor in plan.visitors:
            self.hosts.keep_busy(self.visitors.visit(visitor))
        for happening in plan.happenings:
            self.hosts.keep_busy(self.hosts.happen(happening))
        for workspace in sorted({part.workspace for part in self.played.cast.parts if part.labour}):
            self.hosts.beside(Workers(self.hosts).work(workspace))
        await self._until_over(within * (AS_LONG if self.played.cast.repeats or plan.clocks_part else 1))
        self.played.seconds = self.clock.now() - BEGINS
        await self.hosts.bury()
        return self.played

    async def _prepare(self) -> None:
        """Workflows are there before anything happens, and who wants to hear of them."""
        make, outside = self.hosts.make, self.played.outside
        quiet = Process("quiet", self.stores, make, Weather([], (0.0,)), outside, [], 0, 0.0, print)
        if self.played.cast.hears is not None:
            body = CreateCallback(url=f"http://outside{HEARS}", on=["started", "completed", "failed"], own_secret=True)
            self.played.callback = (await create_callback(quiet.world, self.played.cast.hears, body))[0].id
        for part in self.played.cast.parts:
            created = await create(quiet.world, part.workspace, part.name, part.dialect, part.definition)
            self.played.workflows.append(created.workflow)
            if part.timetable is not None:
                scheduled = await schedule(quiet.world, part, part.timetable, created.workflow.id)
                self.played.schedules.append(scheduled)

    async def _until_over(self, within: float) -> None:
        while True:
            await self.clock.sleep(LOOK_EVERY)
            if not self.hosts.busy and await self._is_quiet():
                return
            if self.clock.now() > max(self.played.weather.last, BEGINS + LATEST) + within:
                self.played.stuck = True
                await self._is_quiet()
                return

    async def _is_quiet(self) -> bool:
        self.played.summaries = [one for workspace in WORKSPACES for one in await self._listed(workspace)]
        depths = [await self.stores.queue.depth(queue.name) for queue in QUEUES]
        listed = (*self.played.summaries, *await self._listed(SYSTEM))
        running = any(summary.status == "running" for summary in listed)
        return not any(depths) and not running and not any([await self._goes_on(one) for one in self.played.schedules])

    async def _listed(self, workspace: str) -> list[Summary]:
        everything = Range(index_keys.listed_executions(workspace), index=Index.LISTING, limit=1_000)
        return [decode(item.body, Summary) for item in (await self.stores.table.query(everything)).items]

    async def _goes_on(self, scheduled: Scheduled) -> bool:
        standing = (await Schedules(self.stores.table).get(scheduled.part.workspace, scheduled.id)).standing
        return standing.due is not None or bool(standing.owed or standing.waiting)


async def schedule(world: World, part: Part, timetable: Timetable, workflow: str) -> Scheduled:
    moments = tuple(int(BEGINS) + after for after in timetable.after)
    dates = [datetime.fromtimestamp(moment, UTC) for moment in moments]
    body = CreateSchedule(
        name=part.name, workflow=workflow, dates=dates, overlap=timetable.overlap, misfire=timetable.misfire
    )
    made = await create_schedule(world, part.workspace, body, None)
    return Scheduled(part, made.schedule.id, moments)
