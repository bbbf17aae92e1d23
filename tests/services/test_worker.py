"""Tasks on the queue: run once where that is asked, given up when nobody waits, whole however large."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import ClassVar

import msgspec
import pytest

from functions.worker.service import work
from linkflow.adapters.clock import VirtualClock, timeless_loop
from linkflow.engine.cancel import terminate
from linkflow.engine.engine import Engine, Limits
from linkflow.engine.holds import Scope, hold, release
from linkflow.engine.news import tell
from linkflow.engine.pauses import pause, resume
from linkflow.engine.programs import Programs
from linkflow.engine.start import Start, start
from linkflow.engine.visit import visit
from linkflow.execution.events import TaskPostponed
from linkflow.execution.state import State
from linkflow.language.json import Json
from linkflow.messages import LANE, TASKS, TaskMessage
from linkflow.nodes.base import BaseNode, NodeRequest, TaskContext, TaskNode, TaskResult
from linkflow.nodes.catalog import NODES
from linkflow.ports import Message
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import in_memory
from linkflow.stores.controls import Hold
from linkflow.stores.limits import Rate
from linkflow.stores.rules import Rule
from tests.services.drawn import drawn
from tests.unit.graphs import graph, node

RUNS: list[str] = []


class Long(TaskNode):
    """Takes longer than a visit may."""

    type: ClassVar[str] = "long"
    default_timeout: ClassVar[float] = 600.0

    says: str = ""
    waits: bool = False
    calls: str | None = None

    async def run(self, context: TaskContext) -> TaskResult:
        RUNS.append(context.key)
        if self.calls is not None:
            await context.http.send(NodeRequest("GET", self.calls, {}, b"", 10.0))
        if self.waits:
            try:
                await asyncio.Event().wait()
            finally:
                RUNS.append("cut off")
        return TaskResult({"said": self.says})


KINDS: dict[str, type[BaseNode]] = {**NODES, "long": Long}


@asynccontextmanager
async def sent(
    clock: VirtualClock, given: Json = None, config: Json = None, beside: Json = None, **more: Json
) -> AsyncIterator[tuple[Engine, str, Message]]:
    """An execution whose one task is on the queue. `beside`: a node whose task keeps its visit at work meanwhile."""
    RUNS.clear()
    world = in_memory(Settings(), clock)
    engine = replace(
        world.engine, nodes=KINDS, programs=Programs(world.engine.workflows, KINDS), limits=Limits(visit=45.0)
    )
    nodes = [node("start", "manual"), node("job", "long", config=config, **more), *([beside] if beside else [])]
    definition = graph(nodes, *(f"start -> {one['id']}" for one in nodes[1:]))
    workflow = await drawn(engine, definition)
    execution = await start(engine, Start(workflow, given, node="start"))
    at_work = asyncio.ensure_future(visit(engine, "ws", execution))
    if beside is None:
        await at_work
    (message,) = await engine.queue.receive(TASKS.name, wait=1)
    yield engine, execution, message
    at_work.cancel()
    await world.close()


async def ended(engine: Engine, execution: str) -> State:
    state = await visit(engine, "ws", execution)
    assert state is not None
    return state


async def test_an_outcome_of_any_size_and_arguments_of_any_size_come_home() -> None:
    text = "x" * 900_000
    async with sent(VirtualClock(), text, {"says": "{{ trigger }}"}) as (engine, execution, message):
        assert len(message.body) < 10_000
        assert msgspec.json.decode(message.body, type=TaskMessage).bare
        await work(engine, message)
        assert (await ended(engine, execution)).output == {"said": text}


async def test_a_task_that_may_run_again_does_so_with_its_message() -> None:
    async with sent(VirtualClock(), config={"says": "a"}) as (engine, execution, message):
        await work(engine, replace(message, receives=2))
        await work(engine, message)
        assert len(RUNS) == 1, "what has its outcome is not run for nothing"
        assert (await ended(engine, execution)).status == "succeeded"


async def test_a_task_that_must_not_run_twice_fails_when_its_message_comes_again() -> None:
    async with sent(VirtualClock(), at_most_once=True) as (engine, execution, message):
        await work(engine, replace(message, receives=2))
        assert RUNS == []
        failure = (await ended(engine, execution)).failure
        assert failure is not None
        assert failure.error == "LinkFlow.Interrupted"


async def test_of_two_copies_of_a_message_only_one_runs_what_must_not_run_twice() -> None:
    """Whoever sends it may hear no answer and send it again; a queue may deliver two of one."""
    async with sent(VirtualClock(), at_most_once=True) as (engine, execution, message):
        await asyncio.gather(*(work(engine, replace(message, id=f"copy {number}")) for number in range(3)))
        assert len(RUNS) == 1
        assert (await ended(engine, execution)).status == "succeeded"


async def test_a_visit_that_takes_over_sends_what_must_not_run_twice_only_once() -> None:
    async with sent(VirtualClock(), at_most_once=True) as (engine, execution, _):
        await visit(engine, "ws", execution, resumed=True)
        assert not await engine.queue.receive(TASKS.name)
    async with sent(VirtualClock()) as (engine, execution, _):
        await visit(engine, "ws", execution, resumed=True)
        assert len(await engine.queue.receive(TASKS.name)) == 1


async def test_a_node_in_the_visit_that_must_not_run_twice_fails_where_it_was_interrupted() -> None:
    """Its start is recorded first; the visit that takes over finds it."""
    world = in_memory(Settings(), VirtualClock())
    engine = replace(world.engine, nodes=KINDS, programs=Programs(world.engine.workflows, KINDS))
    job = node("job", "long", config={"waits": True}, at_most_once=True)
    definition = graph([node("start", "manual"), job], "start -> job")
    workflow = await drawn(engine, definition)
    execution = await start(engine, Start(workflow, None, node="start"))
    RUNS.clear()
    dying = asyncio.ensure_future(visit(engine, "ws", execution))
    for _ in range(200):
        await asyncio.sleep(0)
    assert len(RUNS) == 1
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    state = await visit(engine, "ws", execution, resumed=True)
    assert state is not None
    assert state.failure is not None
    assert (state.failure.error, len(RUNS)) == ("LinkFlow.Interrupted", 2)
    await world.close()


def test_a_task_that_nobody_waits_for_any_more_is_cut_off_within_moments() -> None:
    clock = VirtualClock()

    async def story() -> None:
        async with sent(clock, config={"waits": True}) as (engine, execution, message):
            began = clock.now()
            job = asyncio.ensure_future(work(engine, message))
            await clock.sleep(20)
            assert not job.done()
            await terminate(engine, "ws", execution, "us", "enough")
            await visit(engine, "ws", execution)
            await job
            assert clock.now() - began < 40
            await clock.sleep(1)
            assert RUNS[-1] == "cut off"
            assert len(await engine.queue.receive(LANE.name)) >= 1

    with asyncio.Runner(loop_factory=lambda: timeless_loop(clock)) as runner:
        runner.run(story())


async def test_a_task_that_a_limit_postpones_is_sent_again_when_its_time_has_come() -> None:
    clock = VirtualClock()
    async with sent(clock, config={"calls": "https://api.example.com/"}) as (engine, execution, message):
        rule = Rule("host:api.example.com", limit=1, per_seconds=100.0)
        await engine.rule_items.put("ws", rule)
        engine.rules.forget("ws")
        await engine.limit_items.reserve("ws", rule.name, Rate(1, 100.0), clock.now(), 0.0)
        before = msgspec.json.decode(message.body, type=TaskMessage).task
        await work(engine, message)
        assert (await ended(engine, execution)).status == "running"
        assert not await engine.queue.receive(TASKS.name)
        await clock.advance(101)
        assert (await ended(engine, execution)).status == "running"
        (again,) = await engine.queue.receive(TASKS.name)
        task = msgspec.json.decode(again.body, type=TaskMessage).task
        assert (task.task, task.paid) == (before.task, rule.name)
        assert before.deadline is not None
        assert task.deadline == before.deadline + 100.0


@pytest.mark.parametrize("once", [False, True])
async def test_a_task_on_the_queue_of_a_paused_execution_waits_until_it_goes_on(once: bool) -> None:
    clock = VirtualClock()
    async with sent(clock, at_most_once=once) as (engine, execution, message):
        deadline = msgspec.json.decode(message.body, type=TaskMessage).task.deadline
        await pause(engine, "ws", execution, "us", "a look")
        await work(engine, message)
        await engine.queue.delete([message])
        assert (await ended(engine, execution)).status == "running"
        assert not await engine.queue.receive(TASKS.name)
        await clock.advance(1_000)
        await resume(engine, "ws", execution, "us")
        assert (await ended(engine, execution)).status == "running"
        assert RUNS == []
        (again,) = await engine.queue.receive(TASKS.name)
        task = msgspec.json.decode(again.body, type=TaskMessage).task
        assert deadline is not None
        assert task.deadline == deadline + 1_000
        await work(engine, again)
        assert (len(RUNS), (await ended(engine, execution)).status) == (1, "succeeded")


@pytest.mark.parametrize("scope", [Scope(), Scope("ws")], ids=["engine", "workspace"])
async def test_a_task_on_the_queue_is_not_begun_while_its_execution_is_held(scope: Scope) -> None:
    """Also where no visit has heeded the hold yet."""
    clock = VirtualClock()
    async with sent(clock) as (engine, execution, message):
        await hold(engine, scope, Hold("pause", since=clock.now()))
        await work(engine, message)
        held = await ended(engine, execution)
        assert (held.paused is not None, RUNS) == (True, [])
        await release(engine, scope)
        await ended(engine, execution)
        (again,) = await engine.queue.receive(TASKS.name)
        await work(engine, again)
        assert (await ended(engine, execution)).status == "succeeded"


def test_a_task_that_was_put_off_for_no_time_is_sent_again_by_the_visit_that_sent_it() -> None:
    """The worker saw a pause that was over when it said so; the visit found the task owed, and took it for sent."""
    clock = VirtualClock()

    async def story() -> None:
        async with sent(clock, beside=node("beside", "long", config={"waits": True}, timeout=40)) as found:
            engine, execution, message = found
            task = msgspec.json.decode(message.body, type=TaskMessage).task
            await clock.sleep(1)
            await tell(engine, "ws", execution, TaskPostponed(task.scope, task.task, clock.now()))
            await clock.sleep(5)
            assert len(await engine.queue.receive(TASKS.name)) == 1

    with asyncio.Runner(loop_factory=lambda: timeless_loop(clock)) as runner:
        runner.run(story())
