"""Messages that are given up: buried with their reason, listed, sent again, forgotten; and no execution is stuck."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from functions.services import declare
from linkflow.adapters.clock import VirtualClock
from linkflow.engine.dead_letters import UNEXPLAINED, Wanted, bury, gather, listed, purge, redrive
from linkflow.engine.engine import Limits
from linkflow.engine.start import Start, start
from linkflow.engine.visit import visit
from linkflow.engine.watch import watch
from linkflow.errors import NotFound, Throttled
from linkflow.messages import LANE, TASKS, Wake
from linkflow.ports import Message, QueueSpec, Send
from linkflow.runtime.functions import QueueTrigger
from linkflow.runtime.hosts.delivery import handled
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import World, in_memory
from tests.services.drawn import drawn
from tests.unit.graphs import graph, node

EVERYWHERE = Wanted(None)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
async def world(clock: VirtualClock, tmp_path: Path) -> AsyncIterator[World]:
    world = in_memory(Settings(data=tmp_path), clock)
    yield world
    await world.close()


def wake_of(execution: str, workspace: str = "ws_a") -> bytes:
    return msgspec.json.encode(Wake(workspace, execution))


async def fail(world: World, spec: QueueSpec, message: Message, error: Exception) -> bool:
    async def handle(_: Message) -> None:
        raise error

    async def dig(buried: Message, reason: str) -> None:
        await bury(world.engine, buried, reason)

    return await handled(message, "test", QueueTrigger(spec, handle), dig)


async def test_a_message_is_buried_with_its_reason_at_the_last_receive_and_not_before(
    world: World, clock: VirtualClock
) -> None:
    body = msgspec.json.encode({"type": "task", "workspace": "ws_a", "execution": "ex_1", "task": {"node": "call"}})
    await world.queue.send([Send(TASKS.name, body, share="ws_a")])
    for receives in range(1, TASKS.max_receives + 1):
        (message,) = await world.queue.receive(TASKS.name)
        done = await fail(world, TASKS, message, Throttled("The table"))
        assert done == (receives == TASKS.max_receives)
        await clock.advance(TASKS.visibility + 1)
    ((letter,), cursor) = await listed(world.engine, EVERYWHERE, 10)
    assert (letter.queue, letter.workspace, letter.execution, cursor) == ("tasks", "ws_a", "ex_1", None)
    assert letter.receives == TASKS.max_receives
    assert "The table asked us to slow down" in letter.reason
    assert "node 'call'" in letter.about


async def test_what_died_without_a_word_is_gathered_and_a_known_reason_stays(world: World, clock: VirtualClock) -> None:
    await world.queue.send([Send(LANE.name, wake_of(name), group=name, share="ws_a") for name in ("ex_1", "ex_2")])
    for _ in range(LANE.max_receives):
        messages = await world.queue.receive(LANE.name)
        assert len(messages) == 2
        await clock.advance(LANE.visibility + 1)
    await bury(world.engine, messages[0], "known")
    assert not await world.queue.receive(LANE.name)
    assert await gather(world.engine) == 2
    letters, _ = await listed(world.engine, EVERYWHERE, 10)
    assert {letter.execution: letter.reason for letter in letters} == {"ex_1": "known", "ex_2": UNEXPLAINED}
    assert await world.queue.depth(LANE.dead_letters) == 0


async def test_letters_are_sent_again_by_name_by_workspace_or_all_and_then_are_gone(world: World) -> None:
    for number, workspace in enumerate(["ws_a", "ws_a", "ws_b"]):
        body = wake_of(f"ex_{number}", workspace)
        await bury(world.engine, Message("1", LANE.name, body, 20, "1", f"ex_{number}"), "broken")
    (first, *_), _ = await listed(world.engine, Wanted("ws_a"), 10)
    with pytest.raises(NotFound):
        await redrive(world.engine, Wanted("ws_b", ids=[first.id]))
    assert await redrive(world.engine, Wanted("ws_a", ids=[first.id])) == 1
    assert await redrive(world.engine, Wanted("ws_a")) == 1
    assert await redrive(world.engine, Wanted("ws_a")) == 0
    assert {one.group for one in await world.queue.receive(LANE.name)} == {"ex_0", "ex_1"}
    assert await purge(world.engine, EVERYWHERE) == 1
    assert await listed(world.engine, EVERYWHERE, 10) == ([], None)
    assert await world.queue.depth(LANE.name) == 2


async def test_a_list_goes_on_page_by_page_newest_first(world: World, clock: VirtualClock) -> None:
    for number in range(5):
        await bury(world.engine, Message("1", LANE.name, wake_of(f"ex_{number}"), 20, "1", "g"), "broken")
        await clock.advance(1)
    seen, cursor = [], None
    while True:
        letters, cursor = await listed(world.engine, Wanted("ws_a", "lane"), 2, cursor)
        seen += [letter.execution for letter in letters]
        if cursor is None:
            break
    assert seen == ["ex_4", "ex_3", "ex_2", "ex_1", "ex_0"]


async def started(world: World) -> str:
    definition = graph([node("start", "manual"), node("end")], "start -> end")
    workflow = await drawn(world.engine, definition, "ws_a")
    return await start(world.engine, Start(workflow, 1, node="start"))


async def test_an_execution_whose_lane_message_died_is_woken_by_the_watchdog(world: World, clock: VirtualClock) -> None:
    execution = await started(world)
    (message,) = await world.queue.receive(LANE.name)
    await bury(world.engine, message, "broken")
    await world.queue.delete([message])
    await clock.advance(100)
    assert not await world.queue.receive(LANE.name)
    await watch(world.engine, clock.now())
    (message,) = await world.queue.receive(LANE.name)
    assert message.group == execution
    state = await visit(world.engine, "ws_a", execution)
    assert state is not None
    assert state.status == "succeeded"
    assert await redrive(world.engine, EVERYWHERE) == 1, "which then changes nothing"
    again = await visit(world.engine, "ws_a", execution)
    assert again is not None
    assert again.closed_at == state.closed_at


async def test_a_task_whose_message_died_without_a_word_fails(world: World, clock: VirtualClock) -> None:
    """Its workers had died at it each time, and nobody came for it any more."""
    engine = replace(world.engine, limits=Limits(visit=1.0))
    call = node("call", "http_request", {"url": "https://example.com"}, timeout=3_600)
    workflow = await drawn(engine, graph([node("start", "manual"), call], "start -> call"), "ws_a")
    execution = await start(engine, Start(workflow, {}, node="start"))
    await visit(engine, "ws_a", execution)
    for _ in range(TASKS.max_receives):
        assert len(await world.queue.receive(TASKS.name)) == 1
        await clock.advance(TASKS.visibility + 1)
    assert not await world.queue.receive(TASKS.name)
    assert await gather(engine) == 1
    state = await visit(engine, "ws_a", execution)
    assert state is not None
    assert state.failure is not None
    assert (state.failure.error, state.failure.node) == ("LinkFlow.Interrupted", "call")
    assert await redrive(engine, EVERYWHERE) == 1, "which then changes nothing"


def test_hosts_know_a_function_for_every_queue() -> None:
    from linkflow.runtime.wiring import not_connected  # noqa: PLC0415 (only here)

    declared = declare(not_connected(Settings()))
    fed = {one.trigger.queue.name for one in declared if isinstance(one.trigger, QueueTrigger)}
    assert {"lane", "tasks", "tasks-isolated", "outcomes"} <= fed
