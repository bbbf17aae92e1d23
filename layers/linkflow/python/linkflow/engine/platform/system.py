"""The system workspace: where the platform's own state machines run.

Nobody has a key for it, and its executions tell nobody of their end. A machine is installed when it is first used: as a
workflow whose id follows from its content, so that installing it twice is installing it once, that two releases side
by side each run their own, and that what was begun goes on by the definition it was begun with.
"""

import contextlib
from hashlib import blake2b
from typing import Final

import msgspec

from linkflow import ids
from linkflow.engine.engine import Engine
from linkflow.engine.start import Start, start
from linkflow.errors import ConditionFailed, NotFound
from linkflow.language.graph.compile import content_hash
from linkflow.language.json import Json
from linkflow.stores.records import Workflow, WorkflowVersion

SYSTEM: Final = "ws_system"


async def run(engine: Engine, machine: str, given: Json, execution: str) -> None:
    """Begin the execution of a machine under this id; the second time it is the same one."""
    workflow = await _installed(engine, machine)
    await start(engine, Start(workflow, given, "platform", name=machine, execution=execution))


async def begin_named(engine: Engine, machine: str, given: Json, moment: float, what: str) -> str:
    """Begin an execution whose id follows from the machine, a moment and a text: the same however often it is begun."""
    digest = blake2b(f"{machine}/{what}/{moment}".encode(), digest_size=10).digest()
    execution = ids.prefixed(ids.EXECUTION, moment, digest)
    await run(engine, machine, given, execution)
    return execution


async def _installed(engine: Engine, machine: str) -> Workflow:
    known = engine.platform.installed.get(machine)
    if known is None:
        known = engine.platform.installed[machine] = await _install(engine, machine)
    return known


async def _install(engine: Engine, machine: str) -> Workflow:
    definition = engine.platform.machines(machine)
    content, now = content_hash(definition), engine.clock.now()
    identifier = f"wf_{machine}_{content[:16]}"
    try:
        return await engine.workflows.get(SYSTEM, identifier)
    except NotFound:
        workflow = Workflow(SYSTEM, identifier, machine, "asl", 1, now, now)
        version = WorkflowVersion(1, content, "asl", msgspec.Raw(msgspec.json.encode(definition)), now)
        with contextlib.suppress(ConditionFailed):  # somebody else installed it just now
            await engine.workflows.create(workflow, version, ())
        return workflow
