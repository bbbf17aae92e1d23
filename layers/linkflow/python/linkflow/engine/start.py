"""Starting an execution: accepted means written down, before anybody is told so.

    at once     a lane message and the opening, in one write where the store can
    later       the opening and one alarm (or, beyond a delay queue, the watchdog's index): nothing else until then
    held        the opening alone: whoever starts it drives it (`engine/synchronous.py`)

No opening is without something that brings a visit. At once, that is the lane message, which goes ahead of the opening
where they are two calls: whoever receives it before the opening is there waits for it (`functions/history`). All others
are in the watchdog's index from the start, for what dies between two writes. A business key may be unique among the
open executions of a workflow (`engine/claims.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

import msgspec

from linkflow import ids
from linkflow.engine import claims
from linkflow.engine.engine import Engine
from linkflow.engine.holds import admit_start
from linkflow.engine.wakes import first_wake, is_near, look_before, ring
from linkflow.errors import Conflict
from linkflow.execution.events import ExecutionStarted, Names, Parent, Part
from linkflow.language.json import Json
from linkflow.ports import Item, Send
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
    turn, a higher `priority` comes first (0 is ordinary). `by`: who asks for it, if that is known. `remembered`: for
    how many seconds the idempotency key stands for this execution; `exact`: whether a request that repeats the key must
    be the same in everything. `begins`: the moment before which nothing happens; `held`: for so many seconds whoever
    starts it drives it; `timeout` (seconds) instead of the workflow's own. `continued_from`: the execution that goes on
    in this one, `chain`: the first. `errors` as in `ExecutionStarted`."""

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
    by: str = ""
    remembered: float = REMEMBERED
    exact: bool = True
    key_policy: claims.KeyPolicy = "allow"
    begins: float | None = None
    held: float | None = None
    timeout: float | None = None
    continued_from: str | None = None
    chain: str | None = None
    errors: int = 0


@dataclass(frozen=True, slots=True)
class Started:
    """`new` is False for an execution that was there before: by its idempotency key, or its business key."""

    execution: str
    new: bool


async def start(engine: Engine, request: Start) -> str:
    """The execution's id; see `begin`."""
    return (await begin(engine, request)).execution


async def begin(engine: Engine, request: Start) -> Started:
    """Start it, or find the one that the idempotency key or the business key stands for.

    Raises `Conflict` when the idempotency key was used for another request, or the business key is taken; `Held` or
    `Maintenance` where starts are refused."""
    if request.parent is None:
        await admit_start(engine, request.workflow, request.trigger)
    execution = request.execution or engine.ids.new(ids.EXECUTION)
    if request.idempotency_key is not None:
        execution = await _claimed(engine, request, execution)
    summary, opening, sends = await opened(engine, request, execution, unique=request.key_policy != "allow")
    if request.key_policy == "allow":
        return Started(execution, await engine.summaries.open(summary, opening, sends))
    named = request.idempotency_key
    key = None if named is None else keys.idempotency(request.workflow.workspace, named)
    holder = await claims.open_alone(engine, summary, opening, request.key_policy, key)
    if holder in (None, execution):  # (it may be there although the store did not say so, or the process died here)
        await engine.queue.send(sends)
    return Started(holder or execution, new=holder is None)


async def opened(
    engine: Engine, request: Start, execution: str, *, unique: bool = False
) -> tuple[Summary, bytes, tuple[Send, ...]]:
    """What begins an execution: its summary, the book's opening, and what makes somebody look at it."""
    workflow, now = request.workflow, engine.clock.now()
    number = request.version or workflow.version
    program = await engine.programs.numbered(workflow.workspace, workflow.id, number)
    begins = request.begins if request.begins is not None and request.begins > now else None
    timeout = request.timeout or program.timeout
    started = ExecutionStarted(
        request.input,
        request.names or Names(execution, request.name or execution, workflow.id, workflow.name),
        workflow.workspace,
        number,
        program.hash,
        request.trigger,
        request.node,
        None if timeout is None else (begins or now) + timeout,
        engine.ids.secret(),
        request.parent,
        request.part,
        priority=request.priority,
        by=request.by,
        begins=begins,
        continued_from=request.continued_from,
        chain=request.chain,
        errors=request.errors,
        held_until=None if request.held is None or begins is not None else now + request.held,
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
        check_at=_check_at(started, now, unique=unique),
        business_key=request.business_key,
        tags=request.tags,
        attributes=request.attributes,
        priority=request.priority,
        parent="" if request.parent is None else request.parent.execution,
        unique=unique,
    )
    return summary, opening, _first_send(started, now)


def _check_at(started: ExecutionStarted, now: float, *, unique: bool) -> float | None:
    """When the watchdog looks first. None: the lane message that goes ahead of the opening is enough (the one of an
    execution with a claim goes behind it)."""
    if started.begins is not None:
        return started.begins + WATCH_AFTER if is_near(started.begins, now) else look_before(started.begins)
    if started.held_until is not None:
        return started.held_until + 1
    return now + WATCH_AFTER if unique else None


def _first_send(started: ExecutionStarted, now: float) -> tuple[Send, ...]:
    workspace, execution, begins = started.workspace, started.names.execution_id, started.begins
    if begins is not None:
        return (ring(workspace, execution, begins, now),) if is_near(begins, now) else ()
    return () if started.held_until is not None else (first_wake(workspace, execution),)


async def _claimed(engine: Engine, request: Start, execution: str) -> str:
    """The execution that the idempotency key stands for: `execution`, or one begun before. Opening that one again is
    harmless, and mends a start that died between both writes."""
    answered = Answered(execution, _digest(request))
    key = keys.idempotency(request.workflow.workspace, request.idempotency_key or "")
    now = engine.clock.now()
    found = await claim(engine.table, Item(key, encode(answered), expires_at=now + request.remembered), now)
    if found is None:
        return execution
    before = decode(found.body, Answered)
    if request.exact and before.digest != answered.digest:
        raise Conflict("This Idempotency-Key was used for another request; use a new one for each request.")
    return before.execution


def _digest(request: Start) -> str:
    """Of what was asked for; how late it begins is told in other words each time."""
    content: list[Json] = [request.workflow.id, request.input, request.trigger]
    plain = Start(request.workflow, request.input)
    options = ("business_key", "key_policy", "version", "timeout", "tags", "attributes", "priority")
    content += [[name, getattr(request, name)] for name in options if getattr(request, name) != getattr(plain, name)]
    return sha256(msgspec.json.encode(content, order="sorted")).hexdigest()
