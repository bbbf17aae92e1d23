"""Waits whose process dies at any call to the outside, and what the watchdog makes of executions that wait for long."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest

from functions.api.workflows.service import create
from linkflow.adapters.through import Through
from linkflow.engine.approvals import Vote, approval_id, decide
from linkflow.engine.publish import publish
from linkflow.engine.signal import signal, signal_with_start
from linkflow.engine.start import Start, start
from linkflow.engine.visit import visit
from linkflow.engine.watch import LONGEST_LOOK, watch
from linkflow.errors import Conflict, Throttled
from linkflow.execution.events import SignalReceived, SignalTaken, TaskSucceeded
from linkflow.execution.state import State
from linkflow.language.json import Json
from linkflow.messages import LANE
from linkflow.ports import Clock, Condition, Item, Send
from linkflow.runtime.wiring import World
from linkflow.stores.records import Summary
from tests.services.dying import Died, dying
from tests.services.other_ports import over
from tests.services.ticking import WORKSPACE, Host, play, started
from tests.unit.graphs import graph, node

NOON = "2026-03-02T12:00:00+00:00"
HOUR = 3_600.0
MOMENTS = [(calls, after) for calls in range(14) for after in (False, True)]
"""Where a process may die: before or right after its n-th call."""
EVENT = {"specversion": "1.0", "id": "e1", "source": "/shop", "type": "paid", "data": {"n": 1}}

dies = pytest.mark.parametrize(("calls", "after"), MOMENTS)


async def made(world: World, wait: dict[str, Json], trigger: str = "manual", **config: Json) -> str:
    """A workflow of one wait."""
    nodes = [node("start", trigger, config), wait]
    created = await create(world, WORKSPACE, "waiting", "graph", graph(nodes, f"start -> {wait['id']}"))
    return created.workflow.id


async def request(world: World, workflow: str, **more: Json) -> Start:
    return Start(await world.engine.workflows.get(WORKSPACE, workflow), {"n": 1}, node="start", **more)


async def begun(world: World, wait: dict[str, Json]) -> str:
    """An execution that has come to its wait."""
    execution = await start(world.engine, await request(world, await made(world, wait)))
    await visit(world.engine, WORKSPACE, execution)
    return execution


async def state(world: World, execution: str) -> State:
    book = await world.engine.books.load(WORKSPACE, execution)
    assert book is not None
    return book.state


async def facts(world: World, execution: str) -> Counter[str]:
    turns = await world.engine.books.whole(WORKSPACE, execution)
    return Counter(type(event).__name__ for one in turns for event in one.turn.events)


async def all_of(world: World, workflow: str) -> list[Summary]:
    return [one for one in await started(world) if one.workflow == workflow]


@dies
def test_a_signal_that_starts_is_heard_once_whenever_its_process_dies(calls: int, *, after: bool) -> None:
    async def script(world: World) -> None:
        workflow = await made(world, node("wait", "wait_for_signal", {"name": "go"}))
        asked = await request(world, workflow, business_key="k")
        told = SignalReceived("go", 7, "s1")
        for engine in (dying(world, calls, after=after), world.engine):
            try:
                reached = await signal_with_start(engine, asked, told)
            except Died:
                continue
        await Host(world).run(HOUR)
        (only,) = await all_of(world, workflow)
        assert only.execution == reached.execution
        closed = await state(world, only.execution)
        assert (closed.status, closed.output) == ("succeeded", 7)
        counted = await facts(world, only.execution)
        assert (counted[SignalReceived.__name__], counted[SignalTaken.__name__]) == (1, 1)

    play(NOON, script)


@dies
def test_an_event_starts_and_ends_once_whenever_its_process_dies(calls: int, *, after: bool) -> None:
    async def script(world: World) -> None:
        triggered = await made(world, node("end", "no_op"), "event", type="paid")
        waiting = await begun(world, node("wait", "wait_for_event", {"type": "paid"}))
        for engine in (dying(world, calls, after=after), world.engine):
            try:
                await publish(engine, WORKSPACE, EVENT)
            except* Died:
                pass  # the next engine takes it up
        await Host(world).run(HOUR)
        assert [one.status for one in await all_of(world, triggered)] == ["succeeded"]
        assert (await state(world, waiting)).output == EVENT
        assert (await facts(world, waiting))[TaskSucceeded.__name__] == 1
        assert not [one async for one in world.engine.subscriptions.of(WORKSPACE, "paid") if one.execution]

    play(NOON, script)


@dies
def test_whose_business_key_was_taken_is_closed_whenever_the_process_dies_that_took_it(
    calls: int, *, after: bool
) -> None:
    """It had been ended, and nobody told its visit: who came again found the key free."""

    async def script(world: World) -> None:
        workflow = await made(world, node("wait", "wait_for_callback", timeout=HOUR))
        asked = await request(world, workflow, business_key="k", key_policy="terminate_existing")
        first = await start(world.engine, asked)
        await visit(world.engine, WORKSPACE, first)
        await world.queue.delete(await world.queue.receive(LANE.name))
        for engine in (dying(world, calls, after=after), world.engine):
            with contextlib.suppress(Died):
                await start(engine, replace(asked, idempotency_key="second"))
        await Host(world).run(60)
        statuses = {one.execution: one.status for one in await all_of(world, workflow)}
        assert statuses.pop(first) == "terminated"
        assert list(statuses.values()) == ["running"]

    play(NOON, script)


@dataclass(slots=True)
class Busy(Through):
    """A table that begins no execution."""

    async def put(self, item: Item, when: Condition = None, sends: Sequence[Send] = ()) -> Item | None:
        if b"ExecutionStarted" in (item.payload or b""):
            raise Throttled("The table")
        return await self.table.put(item, when, sends)


@dataclass(slots=True)
class Behind:
    """A clock that is two seconds late."""

    clock: Clock

    def now(self) -> float:
        return self.clock.now() - 2.0

    async def sleep(self, seconds: float) -> None:
        await self.clock.sleep(seconds)


def test_who_publishes_while_a_store_is_busy_is_asked_to_try_again() -> None:
    """It was an error of ours, a group of one."""

    async def script(world: World) -> None:
        triggered = await made(world, node("end", "no_op"), "event", type="paid")
        with pytest.raises(Throttled):
            await publish(over(world, Busy(world.table), world.queue).engine, WORKSPACE, EVENT)
        await publish(world.engine, WORKSPACE, EVENT)
        assert len(await all_of(world, triggered)) == 1

    play(NOON, script)


def test_an_event_is_not_lost_on_who_began_to_wait_at_a_clock_that_is_ahead() -> None:
    async def script(world: World) -> None:
        triggered = await made(world, node("end", "no_op"), "event", type="paid")
        waiting = await begun(world, node("wait", "wait_for_event", {"type": "paid"}))
        told = await publish(replace(world.engine, clock=Behind(world.clock)), WORKSPACE, EVENT)
        assert told.ended == (waiting,)
        assert told.started == tuple(one.execution for one in await all_of(world, triggered))

    play(NOON, script)


@dies
def test_a_vote_counts_once_and_is_never_lost_whenever_its_process_dies(calls: int, *, after: bool) -> None:
    async def script(world: World) -> None:
        execution = await begun(world, node("ask", "approval", {"title": "May I?"}))
        asked = approval_id(execution, 1)
        for engine in (dying(world, calls, after=after), world.engine):
            try:
                await decide(engine, WORKSPACE, asked, Vote("us_1", "approved"))
            except (Died, Conflict):
                continue
        await Host(world).run(HOUR)
        closed = await state(world, execution)
        assert (closed.status, closed.output["decision"], len(closed.output["decisions"])) == (
            "succeeded",
            "approved",
            1,
        )
        approval = (await world.engine.approvals.find(WORKSPACE, asked)).approval
        assert (approval.status, len(approval.decisions)) == ("approved", 1)

    play(NOON, script)


@dies
@pytest.mark.parametrize("kind", ["approval", "wait_for_event", "wait_for_callback"])
def test_a_wait_is_registered_once_whenever_the_visit_dies(kind: str, calls: int, *, after: bool) -> None:
    configs: dict[str, Json] = {"approval": {"title": "May I?"}, "wait_for_event": {"type": "paid"}}

    async def script(world: World) -> None:
        execution = await start(
            world.engine, await request(world, await made(world, node("wait", kind, configs.get(kind, {}))))
        )
        try:
            await visit(dying(world, calls, after=after), WORKSPACE, execution)
        except Died:
            await visit(world.engine, WORKSPACE, execution, resumed=True)
        await Host(world).run(HOUR)
        waiting = await state(world, execution)
        (task,) = [scope.task for scope in waiting.scopes.values() if scope.task is not None]
        assert (waiting.status, task.task, task.submitted) == ("running", 1, True)
        if kind == "approval":
            listed, _ = await world.engine.approvals.listed(WORKSPACE, "pending", 10, None)
            assert [one.id for one in listed] == [approval_id(execution, 1)]
        if kind == "wait_for_event":
            assert len([one async for one in world.engine.subscriptions.of(WORKSPACE, "paid")]) == 1

    play(NOON, script)


def test_who_waits_for_news_alone_is_looked_at_ever_more_seldom_and_woken_for_nothing() -> None:
    async def script(world: World) -> None:
        await begun(world, node("wait", "wait_for_signal", {"name": "go"}))
        await world.queue.delete(await world.queue.receive(LANE.name, 10))
        looks = []
        for _ in range(24 * 60):
            await world.clock.sleep(60)
            if await watch(world.engine, world.clock.now()):
                looks.append(world.clock.now())
        assert await world.queue.depth(LANE.name) == 0
        assert len(looks) < 35
        assert max(b - a for a, b in pairwise(looks)) <= LONGEST_LOOK + 60

    play(NOON, script)


def test_a_signal_whose_wake_was_lost_is_found_by_the_watchdog() -> None:
    async def script(world: World) -> None:
        execution = await begun(world, node("wait", "wait_for_signal", {"name": "go"}))
        await signal(world.engine, WORKSPACE, execution, SignalReceived("go", 7, "s1"))
        while lost := await world.queue.receive(LANE.name, 10):
            await world.queue.delete(lost)
        assert (await state(world, execution)).status == "running"
        await Host(world).run(2 * HOUR)
        assert (await state(world, execution)).output == 7

    play(NOON, script)


def test_an_approval_that_nobody_decides_is_listed_as_expired_without_anybody_asking() -> None:
    async def script(world: World) -> None:
        execution = await begun(world, node("ask", "approval", {"title": "May I?", "expires_in": HOUR}))
        running = asyncio.create_task(Host(world).run(2 * HOUR))
        await world.clock.sleep(1.5 * HOUR)
        assert (await state(world, execution)).output == {"decision": "expired", "decisions": []}
        expired, _ = await world.engine.approvals.listed(WORKSPACE, "expired", 10, None)
        pending, _ = await world.engine.approvals.listed(WORKSPACE, "pending", 10, None)
        assert ([one.execution for one in expired], pending) == ([execution], [])
        await running

    play(NOON, script)
