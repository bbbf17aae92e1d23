"""Starting an execution: accepted means written down, before anybody is told so."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

import msgspec

from linkflow import ids
from linkflow.engine.engine import Engine
from linkflow.engine.holds import admit_start
from linkflow.engine.wakes import wake
from linkflow.errors import Conflict
from linkflow.execution.events import ExecutionStarted, Names, Parent, Part
from linkflow.language.json import Json
from linkflow.ports import Item
from linkflow.stores import keys
from linkflow.stores.books import Turn
from linkflow.stores.claims import claim
from linkflow.stores.records import Answered, Summary, Workflow, decode, encode

WATCH_AFTER = 90.0
"""Seconds after which the watchdog looks after a new execution for the first time."""
REMEMBERED = 86_400.0
"""Seconds for which a repeated idempotency key gives the first answer."""


@dataclass(frozen=True, slots=True)
class Start:
    """What to start, and with what. `node`: the trigger node to start from (graphs). `execution`: the id it must have,
    where a repeated start shall find the same one; `parent`: the task that waits for it; `names`: what it is to call
    itself, where that is not what it is called here (a rehearsal); `part`: of which Map it works on a part. `version`:
    another than the current one. `business_key`, `tags`, `attributes` are what it is found by; of what waits for its
    turn, a higher `priority` comes first (0 is ordinary). `remembered`: for how many seconds the idempotency key stands
    for this execution; `exact`: whether a request that repeats the key must be the same in everything."""

    workflow: Workflow
    input: Json
    trigger: str = "manual"
    node: str | None = None
    name: str | None = None
    idempotency_key: str | None = None
    execution: str | None = None
    parent: Parent | None = None
    names: Names | None = None
    part: Part | None = None
    version: int | None = None
    business_key: str = ""
    tags: tuple[str, ...] = ()
    attributes: Mapping[str, str | float | bool] = field(default_factory=dict)
    priority: int = 0
    remembered: float = REMEMBERED
    exact: bool = True


async def start(engine: Engine, request: Start) -> str:
    """The new execution's id. With an idempotency key that was used before: the id given then.

    Raises `Conflict` when the key was used for another request, `Held` or `Maintenance` where starts are refused."""
    if request.parent is None:
        await admit_start(engine, request.workflow.workspace, request.workflow.id)
    execution = request.execution or engine.ids.new(ids.EXECUTION)
    if request.idempotency_key is not None:
        execution = await _claimed(engine, request, execution)
    await _open(engine, request, execution)
    return execution


async def _open(engine: Engine, request: Start, execution: str) -> None:
    workflow, now = request.workflow, engine.clock.now()
    number = request.version or workflow.version
    program = await engine.programs.numbered(workflow.workspace, workflow.id, number)
    started = ExecutionStarted(
        request.input,
        request.names or Names(execution, request.name or execution, workflow.id, workflow.name),
        workflow.workspace,
        number,
        program.hash,
        request.trigger,
        request.node,
        None if program.timeout is None else now + program.timeout,
        engine.ids.secret(),
        request.parent,
        request.part,
        priority=request.priority,
    )
    opening = await engine.books.opening(workflow.workspace, execution, Turn(now, (started,)))
    summary = Summary(
        workflow.workspace,
        execution,
        workflow.id,
        number,
        now,
        request.name or "",
        request.trigger,
        check_at=now + WATCH_AFTER,
        business_key=request.business_key,
        tags=request.tags,
        attributes=request.attributes,
        priority=request.priority,
        parent="" if request.parent is None else request.parent.execution,
    )
    await engine.summaries.open(summary, opening, (wake(workflow.workspace, execution),))


async def _claimed(engine: Engine, request: Start, execution: str) -> str:
    """The execution that the idempotency key stands for: `execution`, or one begun before. Opening that one again is
    harmless, and mends a start that died between both writes."""
    content = msgspec.json.encode([request.workflow.id, request.input, request.trigger], order="sorted")
    answered = Answered(execution, sha256(content).hexdigest())
    key = keys.idempotency(request.workflow.workspace, request.idempotency_key or "")
    now = engine.clock.now()
    found = await claim(engine.table, Item(key, encode(answered), expires_at=now + request.remembered), now)
    if found is None:
        return execution
    before = decode(found.body, Answered)
    if request.exact and before.digest != answered.digest:
        raise Conflict("This Idempotency-Key was used for another request; use a new one for each request.")
    return before.execution
