"""One story: a plan played out, from empty stores to the last message, in virtual time.

    visitors ──▶ hosts (processes that die, freeze, start again) ──▶ weather ──▶ shared stores
                      └──▶ outside ──▶ tokens come back

It ends when every execution is closed and every queue is empty, or when the time is up that this may take.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from random import Random
from typing import Final, TypeVar

from functions.api.workflows.service import create
from functions.edge.service import HookAnswer, receive
from linkflow.adapters.clock import VirtualClock, timeless_loop
from linkflow.engine import callbacks
from linkflow.engine.cancel import cancel, terminate
from linkflow.engine.pauses import pause, resume
from linkflow.engine.signal import IsOver, signal
from linkflow.engine.start import Start, start
from linkflow.errors import Conflict, NotFound, TryAgain
from linkflow.execution.signals import SignalReceived
from linkflow.execution.tokens import read_token
from linkflow.language.json import Json
from linkflow.language.json_text import compact
from linkflow.language.program import Program
from linkflow.messages import QUEUES
from linkflow.ports import Index, Range
from linkflow.runtime.calls import Call
from linkflow.runtime.wiring import World
from linkflow.stores import index_keys, keys
from linkflow.stores.rates import Rates
from linkflow.stores.records import Answered, Summary, Workflow, decode
from tests.simulation.cast import WORKSPACES, Cast, Entrance, Part
from tests.simulation.outside import SIMULATED_NODES, Outside
from tests.simulation.plan import Happening, Plan, Visitor
from tests.simulation.processes import Make, Process, Stores, remember_tasks
from tests.simulation.weather import Line, Weather
from tests.unit.random_graphs import SIGNAL

T = TypeVar("T")
BEGINS: Final = 1_750_000_000.0
LOOK_EVERY: Final = 7.0
"""Virtual seconds between two looks at whether the story is over."""
PAUSED: Final = 20.0
"""Seconds after which who paused an execution resumes it."""
SIGNALS_EVERY: Final = 15.0
PUNCTUAL: Final = 10.0
"""Seconds by which a moment may be missed although nothing happens: calls take their time."""
LATEST: Final = 100.0
"""By then every visitor has come and everything planned has happened."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a visitor was told: `execution` is known where the answer names it."""

    visitor: Visitor
    kind: str
    execution: str | None = None
    body: Json = None


@dataclass(slots=True)
class Played:
    """All there is to know about a story that was played. `stuck`: it did not end in time."""

    plan: Plan
    cast: Cast
    stores: Stores
    workflows: list[Workflow]
    weather: Weather
    outside: Outside
    compiled: dict[str, Program]
    replies: list[Reply] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    """What visitors were answered that is no answer."""
    trespasses: list[str] = field(default_factory=list)
    summaries: list[Summary] = field(default_factory=list)
    seconds: float = 0.0
    latest: float = 0.0
    """Seconds by which a moment may be missed."""
    stuck: bool = False


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
        self.plan, self.cast, self.clock = plan, cast, clock
        self.stores = Stores.empty(clock)
        weather = Weather(list(plan.faults), plan.latencies, last=clock.now())
        outside = Outside(
            clock, cast.seed, cast.failing, Random(f"outside {plan.seed}"), self._token_came, plan.slow, cast.padding
        )
        self.played = Played(plan, cast, self.stores, [], weather, outside, compiled)
        self.make = Make(plan.visit, plan.apart, SIMULATED_NODES, compiled, telling)
        self.hosts: list[Process | None] = [None for _ in plan.skews]
        self.all: list[Process] = []
        self.starting = 0
        self.tokens = 0
        self.busy: dict[asyncio.Task[None], None] = {}
        self.accepted: dict[int, asyncio.Future[str]] = {}

    async def play(self, within: float) -> Played:
        self.played.latest = within if self.plan.seed >= 0 else PUNCTUAL
        await self._prepare()
        for host in range(len(self.hosts)):
            self._start(host)
        for visitor in self.plan.visitors:
            self._keep_busy(self._visit(visitor))
        for happening in self.plan.happenings:
            self._keep_busy(self._happen(happening))
        await self._until_over(within)
        self.played.seconds = self.clock.now() - BEGINS
        await self._tear_down()
        return self.played

    # ------------------------------------------------------------ before and after

    async def _prepare(self) -> None:
        """Workflows are there before anything happens."""
        quiet = Process("quiet", self.stores, self.make, Weather([], (0.0,)), self.played.outside, [], 0, 0.0, print)
        for part in self.cast.parts:
            created = await create(quiet.world, part.workspace, part.name, part.dialect, part.definition)
            self.played.workflows.append(created.workflow)

    async def _tear_down(self) -> None:
        for task in list(self.busy):
            task.cancel()
        for process in self.all:
            process.alive = False
            await process.buried()
        await asyncio.sleep(0)

    async def _until_over(self, within: float) -> None:
        while True:
            await self.clock.sleep(LOOK_EVERY)
            if not self.busy and await self._is_quiet():
                return
            if self.clock.now() > max(self.played.weather.last, BEGINS + LATEST) + within:
                self.played.stuck = True
                await self._is_quiet()
                return

    async def _is_quiet(self) -> bool:
        found: list[Summary] = []
        for workspace in WORKSPACES:
            page = await self.stores.table.query(
                Range(index_keys.listed_executions(workspace), index=Index.LISTING, limit=1_000)
            )
            found += [decode(item.body, Summary) for item in page.items]
        self.played.summaries = found
        depths = [await self.stores.queue.depth(queue.name) for queue in QUEUES]
        return not any(depths) and not any(summary.status == "running" for summary in found)

    # ------------------------------------------------------------ processes

    def _start(self, host: int) -> None:
        self.starting += 1
        name = f"{'AB'[host]}{self.starting}"
        process = Process(
            name,
            self.stores,
            self.make,
            self.played.weather,
            self.played.outside,
            self.played.trespasses,
            self.plan.seed * 100 + self.starting,
            self.plan.skews[host],
            lambda _: self._keep_busy(self._start_later(host)),
        )
        self.hosts[host] = process
        self.all.append(process)
        process.start()

    async def _start_later(self, host: int) -> None:
        await self.clock.sleep(self.plan.pauses[self.starting % len(self.plan.pauses)])
        self._start(host)

    async def _happen(self, happening: Happening) -> None:
        await self.clock.sleep(happening.at)
        process = self.hosts[happening.host] if happening.host < len(self.hosts) else None
        if process is None or not process.alive or process.stopping:
            return
        self.played.weather.last = self.clock.now()
        match happening.kind:
            case "kill":
                process.die()
            case "jump":
                process.clock.skew += happening.seconds
                process.note(f"jumps {happening.seconds} s")
            case "stop":
                await process.stop()
                self._start(happening.host)

    def _keep_busy(self, work: "asyncio._CoroutineLike[None]") -> None:
        """Of nobody's process, whoever calls."""
        task = asyncio.get_running_loop().create_task(work, context=Context())
        self.busy[task] = None
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        del self.busy[task]
        if not task.cancelled() and task.exception() is not None:
            self.played.surprises.append(repr(task.exception()))

    # ------------------------------------------------------------ visitors

    async def _visit(self, visitor: Visitor) -> None:
        await self.clock.sleep(visitor.at)
        entrance = self.cast.entrances[visitor.entrance]
        part = self.cast.parts[entrance.part]
        if not any(one.entrance == visitor.entrance and one.deed == "start" for one in self.plan.visitors):
            return
        match visitor.deed:
            case "start":
                await self._come_in(visitor, entrance, part, entrance.given)
            case "start otherwise":
                await asyncio.shield(self._accepted(entrance.number))
                await self._come_in(visitor, entrance, part, {"n": -1, "items": []})
            case "cancel":
                execution = await asyncio.shield(self._accepted(entrance.number))
                kind = await self._insist(part.workspace, lambda world: _cancelled(world, part.workspace, execution))
                self._reply(Reply(visitor, kind, execution))
            case "terminate":
                execution = await asyncio.shield(self._accepted(entrance.number))
                kind = await self._insist(part.workspace, lambda world: _terminated(world, part.workspace, execution))
                self._reply(Reply(visitor, kind, execution))
            case "pause":
                execution = await asyncio.shield(self._accepted(entrance.number))
                kind = await self._insist(part.workspace, lambda world: _paused(world, part.workspace, execution))
                await self.clock.sleep(PAUSED)
                kind += await self._insist(part.workspace, lambda world: _resumed(world, part.workspace, execution))
                self._reply(Reply(visitor, kind, execution))

    async def _nag(self, workspace: str, execution: str) -> None:
        """Tell it the same again and again, as often as its states wait for it, until it is over."""
        kind, number = "", 0
        while kind != "over":
            number += 1
            told = SignalReceived(SIGNAL, 1, f"signal-{number}")
            kind = await self._insist(
                workspace, partial(_signalled, workspace=workspace, execution=execution, told=told)
            )
            await self.clock.sleep(SIGNALS_EVERY)

    async def _come_in(self, visitor: Visitor, entrance: Entrance, part: Part, given: Json) -> None:
        workflow = self.played.workflows[entrance.part]
        try:
            if part.hook is None:
                execution = await self._insist(
                    part.workspace, lambda world: _started(world, workflow, given, entrance.key)
                )
                self._reply(Reply(visitor, "accepted", execution))
                return
            call = _call(entrance.key, given)
            answer = await self._insist(part.workspace, lambda world: _received(world, workflow.hooks[0].token, call))
        except Conflict as refused:
            self._reply(Reply(visitor, "refused", body=refused.message))
            return
        known_by = f"hook/{sha256(f'{workflow.hooks[0].token}/{entrance.key}'.encode()).hexdigest()}"
        found = await self.stores.table.get(keys.idempotency(part.workspace, known_by))
        named = decode(found.body, Answered).execution if found is not None else None
        self._reply(Reply(visitor, str(answer.status), named, answer.body))

    def _reply(self, reply: Reply) -> None:
        self.played.replies.append(reply)
        told = f"is told '{reply.kind}'"
        self.played.weather.lines.append(Line(self.clock.now(), "outside", told, str(reply.visitor)))
        if reply.execution is not None and reply.visitor.deed == "start":
            accepted = self._accepted(reply.visitor.entrance)
            if not accepted.done():
                accepted.set_result(reply.execution)
                part = self.cast.parts[self.cast.entrances[reply.visitor.entrance].part]
                if part.signals:
                    self._keep_busy(self._nag(part.workspace, reply.execution))

    def _accepted(self, entrance: int) -> "asyncio.Future[str]":
        return self.accepted.setdefault(entrance, asyncio.get_running_loop().create_future())

    def _token_came(self, token: str, output: Json) -> None:
        self._keep_busy(self._give_back(token, output))

    async def _give_back(self, token: str, output: Json) -> None:
        self.tokens += 1
        await self.clock.sleep(self.plan.patience[self.tokens % len(self.plan.patience)])
        bare = read_token(token)
        assert bare is not None
        told = await self._insist(bare.workspace, lambda world: _succeeded(world, bare.workspace, token, output))
        self.played.weather.lines.append(Line(self.clock.now(), "outside", "gave a token", f"{bare.execution}: {told}"))

    async def _insist(self, workspace: str, ask: Callable[[World], Awaitable[T]]) -> T:
        """Ask one host after the other until one answers. What is no answer: no host, one that died, try again."""
        number = 0
        while True:
            number += 1
            host = self.hosts[number % len(self.hosts)]
            if host is not None and host.alive and not host.stopping:
                asked = host.spawn(_asked(ask, host.world), workspace)
                await asyncio.wait([asked])
                if not asked.cancelled() and not isinstance(asked.exception(), TryAgain):
                    return asked.result()
            await self.clock.sleep(0.4)


async def _asked(ask: Callable[[World], Awaitable[T]], world: World) -> T:
    return await ask(world)


def _call(key: str, given: Json) -> Call:
    headers = {"content-type": "application/json", "idempotency-key": key}
    return Call("req", "POST", "/hooks/x", "", headers, "", compact(given).encode())


async def _started(world: World, workflow: Workflow, given: Json, key: str) -> str:
    engine = world.engine
    node = engine.programs.of(await engine.workflows.current(workflow)).manual_start
    return await start(engine, Start(workflow, given, node=node, idempotency_key=key))


async def _received(world: World, token: str, call: Call) -> HookAnswer:
    return await receive(world, Rates(world.table), token, "", call)


async def _cancelled(world: World, workspace: str, execution: str) -> str:
    try:
        await cancel(world.engine, workspace, execution, "visitor", "wanted")
    except Conflict:
        return "too late"
    return "cancelled"


async def _terminated(world: World, workspace: str, execution: str) -> str:
    try:
        await terminate(world.engine, workspace, execution, "visitor", "wanted")
    except Conflict:
        return "too late"
    return "terminated"


async def _paused(world: World, workspace: str, execution: str) -> str:
    try:
        await pause(world.engine, workspace, execution, "visitor", "wanted")
    except Conflict:
        return "too late"
    return "paused"


async def _resumed(world: World, workspace: str, execution: str) -> str:
    try:
        await resume(world.engine, workspace, execution, "visitor")
    except Conflict:
        return ", too late to resume"
    return ", resumed"


async def _signalled(world: World, workspace: str, execution: str, told: SignalReceived) -> str:
    try:
        await signal(world.engine, workspace, execution, told)
    except IsOver:
        return "over"
    except Conflict:
        return "full"
    return "heard"


async def _succeeded(world: World, workspace: str, token: str, output: Json) -> str:
    try:
        await callbacks.succeed(world.engine, workspace, token, output)
    except (NotFound, Conflict) as refused:
        return refused.message
    return "taken"
