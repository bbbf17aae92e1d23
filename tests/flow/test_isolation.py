"""Tasks that are not trusted: they get their input in a message, give their outcome in messages, and touch nothing."""

import base64
import dataclasses
from collections.abc import AsyncIterator
from random import Random
from typing import Any, ClassVar

import msgspec
import pytest

from functions.services import declare
from functions.worker.service import work_isolated
from linkflow.adapters.clock import VirtualClock
from linkflow.engine.place import place
from linkflow.engine.programs import Programs
from linkflow.execution.commands import RunTask
from linkflow.language.json import Json
from linkflow.language.program import Task
from linkflow.messages import OUTCOMES, TASKS_ISOLATED, IsolatedTask
from linkflow.nodes.base import RESOURCE, BaseNode, NodeFailed, TaskContext, TaskNode, TaskResult
from linkflow.nodes.catalog import NODES
from linkflow.ports import Send
from linkflow.runtime.hosts.embedded import Embedded
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import World, assemble, connect, in_memory, not_connected
from linkflow.stores.accounts import Accounts
from linkflow.stores.records import WorkflowVersion
from tests.flow.house import House
from tests.unit.graphs import graph, node


class Untrusted(TaskNode):
    """Somebody's code, as far as we know."""

    type: ClassVar[str] = "untrusted"
    isolated: ClassVar[bool] = True

    size: int = 0
    given: Json = None
    refuse: bool = False

    async def run(self, context: TaskContext) -> TaskResult:
        if self.refuse:
            raise NodeFailed("Unwilling", "It does not want to.")
        return TaskResult({"made": noise(self.size), "attempt": context.attempt, "given": self.given})


class Trusted(Untrusted):
    """The same, trusted."""

    type: ClassVar[str] = "trusted"
    isolated: ClassVar[bool] = False


class Once(Trusted):
    at_most_once: ClassVar[bool] = True


def noise(size: int) -> str:
    """A text that no compression makes small."""
    return base64.b64encode(Random(size).randbytes(size)).decode()


KINDS: dict[str, type[BaseNode]] = {**NODES, "untrusted": Untrusted, "trusted": Trusted}


@pytest.fixture
async def own_house(settings: Settings) -> AsyncIterator[House]:
    """A house that knows the test's node types."""
    world = await connect(settings)
    world = assemble(
        world.table, world.queue, world.blobs, world.keyring, world.clock, settings, world.close, nodes=KINDS
    )
    key = await Accounts(world.table).first_start(world.clock, world.ids)
    assert key is not None
    async with Embedded(world, declare(world)) as embedded, House(embedded, world, key) as open_house:
        yield open_house


def doing(kind: str = "untrusted", **config: Json) -> Json:
    return graph([node("start", "manual"), node("job", kind, config=config)], "start -> job")


async def test_an_isolated_task_brings_its_outcome_home_however_large(own_house: House) -> None:
    done = await own_house.execute(doing(given=7))
    assert done["output"] == {"made": "", "attempt": 1, "given": 7}
    large = await own_house.execute(doing(size=900_000))
    assert large["output"]["made"] == noise(900_000)


async def test_an_isolated_task_fails_like_any_other(own_house: House) -> None:
    done = await own_house.execute(doing(refuse=True))
    assert (done["status"], done["error"]["code"]) == ("failed", "Unwilling")


async def test_an_input_that_no_message_can_carry_fails_and_says_what_to_do(own_house: House) -> None:
    done = await own_house.execute(doing(given="{{ trigger }}"), noise(400_000))
    assert (done["status"], done["error"]["code"]) == ("failed", "LinkFlow.InputTooLarge")
    assert "240,000 bytes" in done["error"]["message"]
    done = await own_house.execute(doing(given="{{ trigger }}"), "a" * 900_000)
    assert done["status"] == "succeeded", "what compresses is carried"


async def test_an_isolated_worker_needs_nothing_but_its_queues(settings: Settings) -> None:
    """With every other port gone it still does its work."""
    world = await connect(settings)
    nothing: Any = not_connected(settings)
    bare = dataclasses.replace(
        world.engine,
        table=nothing.table,
        blobs=nothing.blobs,
        queue=nothing.queue,
        books=nothing.engine,
        summaries=nothing.engine,
        workflows=nothing.engine,
        nodes=KINDS,
    )
    alone = World(
        nothing.table,
        world.queue,
        nothing.blobs,
        nothing.keyring,
        world.clock,
        world.ids,
        world.http,
        settings,
        bare,
    )
    task = RunTask(1, 1, 1, "job", RESOURCE + "untrusted", {"given": 1}, "key", isolated=True)
    body = msgspec.json.encode(IsolatedTask("ws", "ex", task, "token"))
    await world.queue.send([Send(TASKS_ISOLATED.name, body)])
    (message,) = await world.queue.receive(TASKS_ISOLATED.name, wait=5)
    await work_isolated(alone, message)
    (said,) = await world.queue.receive(OUTCOMES.name, wait=5)
    assert b'"given":1' in said.body
    await world.close()


def test_a_task_is_isolated_by_its_type_its_node_or_the_workspace() -> None:
    task = RunTask(1, 1, 1, "job", RESOURCE + "trusted", {}, "key")
    assert place(task, None, KINDS) == "here"
    assert place(task, None, KINDS, untrusted={"trusted"}) == "isolated"
    assert place(RunTask(1, 1, 1, "job", RESOURCE + "trusted", {}, "key", isolated=True), None, KINDS) == "isolated"
    assert place(RunTask(1, 1, 1, "job", RESOURCE + "untrusted", {}, "key"), None, KINDS) == "isolated"
    assert place(RunTask(1, 1, 1, "job", RESOURCE + "trusted", {}, "key", timeout=60), 45, KINDS) == "queue"
    assert place(RunTask(1, 1, 1, "job", "arn:x:activity:y", {}, "key", pattern="activity"), 45, KINDS) == "remote"


@pytest.mark.parametrize("pattern", ["", ".waitForTaskToken"])
async def test_a_state_machines_task_runs_as_its_node_type_says(pattern: str) -> None:
    """What must not run twice ran again there, and what waits for a token ran beside secrets."""
    states = {
        name: {"Type": "Task", "Resource": f"linkflow:{name}{pattern}", "End": True}
        for name in ("untrusted", "trusted")
    }
    machine = {"StartAt": "trusted", "States": states}
    world = in_memory(Settings(), VirtualClock())
    programs = Programs(world.engine.workflows, {**KINDS, "trusted": Once})
    program = programs.of(WorkflowVersion(1, "hash", "asl", msgspec.Raw(msgspec.json.encode(machine)), 0.0))
    await world.close()
    found = {name: box for name, box in program.machines[""].states.items() if isinstance(box, Task)}
    assert [(box.at_most_once, box.isolated) for box in found.values()] == [(False, True), (True, False)]
    task = RunTask(1, 1, 1, "job", f"linkflow:untrusted{pattern}", {}, "key")
    assert place(task, None, KINDS) == "isolated"
    assert (
        place(msgspec.structs.replace(task, resource=f"linkflow:trusted{pattern}"), None, KINDS, {"trusted"})
        == "isolated"
    )
