"""What isolated workers say is believed of the task that they were given, and of nothing else; whatever it is made of,
it costs those who read it no more than an outcome may."""

import base64
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import msgspec
import pytest

from functions.matching.service import hear
from functions.worker.service import work_isolated
from linkflow.adapters.clock import VirtualClock
from linkflow.adapters.through import Through
from linkflow.engine.callbacks import succeed
from linkflow.engine.dead_letters import Wanted, gather, listed
from linkflow.engine.engine import Limits
from linkflow.engine.programs import Programs
from linkflow.engine.start import Start, start
from linkflow.engine.visit import visit
from linkflow.errors import NotFound
from linkflow.execution.events import TaskSucceeded
from linkflow.execution.state import State
from linkflow.execution.tokens import Token, read_token
from linkflow.language.json import Json
from linkflow.messages import (
    LARGEST_BODY,
    LARGEST_CONTENT,
    OUTCOMES,
    TASKS_ISOLATED,
    IsolatedTask,
    Outcome,
    Piece,
    packed,
    unpacked,
)
from linkflow.nodes.base import BaseNode, TaskContext, TaskNode, TaskResult
from linkflow.nodes.catalog import NODES
from linkflow.ports import Message, Page, Range
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import World, in_memory
from tests.services.drawn import drawn
from tests.services.other_ports import over
from tests.unit.graphs import graph, node


class Untrusted(TaskNode):
    type: ClassVar[str] = "untrusted"
    isolated: ClassVar[bool] = True

    given: Json = None
    times: int = 1

    async def run(self, _: TaskContext) -> TaskResult:
        return TaskResult("0123456789" * self.times)


KINDS: dict[str, type[BaseNode]] = {**NODES, "untrusted": Untrusted}


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
async def world(clock: VirtualClock) -> AsyncIterator[World]:
    world = in_memory(Settings(), clock)
    engine = replace(
        world.engine, nodes=KINDS, programs=Programs(world.engine.workflows, KINDS), limits=Limits(visit=45.0)
    )
    yield replace(world, engine=engine)
    await world.close()


async def waiting(world: World, given: Json = None, **config: Json) -> tuple[str, Message]:
    """An execution whose one task lies before the isolated workers."""
    job = node("job", "untrusted", {"given": "{{ trigger }}", **config})
    workflow = await drawn(world.engine, graph([node("start", "manual"), job], "start -> job"))
    execution = await start(world.engine, Start(workflow, given, node="start"))
    await visit(world.engine, "ws", execution)
    (message,) = await world.queue.receive(TASKS_ISOLATED.name)
    return execution, message


async def state_of(world: World, execution: str) -> State:
    state = await visit(world.engine, "ws", execution)
    assert state is not None
    return state


def task_of(message: Message) -> IsolatedTask:
    return msgspec.json.decode(unpacked(message.body), type=IsolatedTask)


def outcome(token: str, scope: int, task: int) -> bytes:
    return msgspec.json.encode(Outcome(token, TaskSucceeded(scope, task, "forged", 0.0, 0.0)))


def made_up(token: str, **changes: Any) -> str:
    """The token, as somebody would change it who knows how they are made."""
    read = read_token(token)
    assert read is not None
    changed: Token = msgspec.structs.replace(read, **changes)
    return base64.urlsafe_b64encode(msgspec.json.encode(changed)).decode()


async def test_a_worker_ends_its_own_task_and_no_other(world: World, caplog: pytest.LogCaptureFixture) -> None:
    mine, message = await waiting(world)
    other, _ = await waiting(world)
    given = task_of(message)
    for forged in (
        outcome(made_up(given.token, execution=other), given.task.scope, given.task.task),
        outcome(made_up(given.token, workspace="elsewhere"), given.task.scope, given.task.task),
        outcome(given.token, given.task.scope, given.task.task + 1),
        outcome("", given.task.scope, given.task.task),
    ):
        await hear(world, forged)
        assert caplog.records.pop().message == "outcome_refused"
    assert not (await state_of(world, other)).closed
    assert not (await state_of(world, mine)).closed
    await work_isolated(world, message)
    (said,) = await world.queue.receive(OUTCOMES.name)
    await hear(world, said.body)
    assert (await state_of(world, mine)).output == "0123456789"
    assert not (await state_of(world, other)).closed


@dataclass(slots=True)
class Closed(Through):
    """A table that nobody may read."""

    async def query(self, what: Range) -> Page:
        raise AssertionError(f"{what} was read")


async def test_of_a_token_of_another_workspace_nothing_is_read(world: World) -> None:
    _, message = await waiting(world)
    engine = over(world, Closed(world.table), world.queue).engine
    with pytest.raises(NotFound):
        await succeed(engine, "elsewhere", task_of(message).token, "forged")


async def test_pieces_of_no_task_are_not_kept(world: World) -> None:
    _, message = await waiting(world)
    token = task_of(message).token
    name = "0" * 32
    await hear(world, msgspec.json.encode(Piece(made_up(token, task=9), name, 0, 2, "text")))
    assert await world.blobs.get(f"ws/outcomes/{name}-2-0") is None
    await hear(world, msgspec.json.encode(Piece(token, name, 0, 2, "text")))
    assert await world.blobs.get(f"ws/outcomes/{name}-2-0") == b"text"


@pytest.mark.parametrize(
    "wrong",
    [{"of": 10**12}, {"number": 10**12}, {"number": 2}, {"number": -1}, {"of": 0}, {"name": "../book"}, {"name": ""}],
)
async def test_pieces_that_cannot_be_are_refused_as_they_are_read(world: World, wrong: dict[str, Json]) -> None:
    _, message = await waiting(world)
    piece = {"type": "piece", "token": task_of(message).token, "name": "0" * 32, "number": 0, "of": 2, "text": ""}
    await hear(world, msgspec.json.encode(piece))
    with pytest.raises(msgspec.ValidationError):
        await hear(world, msgspec.json.encode(piece | wrong))


def test_a_body_grows_to_what_an_outcome_may_have_and_no_further() -> None:
    """Fifteen kilobytes stood for as much memory as there is."""
    whole = b"0" * LARGEST_CONTENT
    assert unpacked(packed(whole)) == whole
    with pytest.raises(ValueError, match="more than 16,000,000 bytes"):
        unpacked(packed(whole + b"0"))
    with pytest.raises(ValueError, match="cut off"):
        unpacked(b"z" + base64.b64encode(zlib.compress(whole)[:-9]))
    with pytest.raises(ValueError, match="no compressed body"):
        unpacked(b"zAAAA")


async def test_an_outcome_that_is_too_large_fails_its_task_and_says_what_to_do(world: World) -> None:
    execution, message = await waiting(world, times=LARGEST_CONTENT // 10)
    await work_isolated(world, message)
    for said in await world.queue.receive(OUTCOMES.name):
        await hear(world, said.body)
    state = await state_of(world, execution)
    assert state.failure is not None
    assert (state.failure.error, state.failure.node) == ("LinkFlow.OutputTooLarge", "job")
    assert "16,000,000 bytes" in str(state.failure.cause)


@pytest.mark.parametrize("given", [1, "a" * LARGEST_BODY], ids=["small", "compressed"])
async def test_a_task_whose_message_died_without_a_word_fails(world: World, clock: VirtualClock, given: Json) -> None:
    execution, _ = await waiting(world, given)
    for _ in range(TASKS_ISOLATED.max_receives):
        await clock.advance(TASKS_ISOLATED.visibility + 1)
        await world.queue.receive(TASKS_ISOLATED.name)
    assert await gather(world.engine) == 1
    ((letter,), _) = await listed(world.engine, Wanted("ws"), 10)
    assert (letter.execution, letter.queue) == (execution, TASKS_ISOLATED.name)
    assert "node 'job'" in letter.about
    state = await state_of(world, execution)
    assert state.failure is not None
    assert (state.failure.error, state.failure.node) == ("LinkFlow.Interrupted", "job")
