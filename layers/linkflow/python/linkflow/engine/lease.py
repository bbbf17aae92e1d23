"""Leases of remote workers: somebody's own program takes a task from a task queue, works on it, and says how it ended.

    owed ──▶ offered ──▶ leased ──▶ complete / fail ──▶ the book
                 ▲          │  ▲
                 │          │  └── heartbeat: the lease goes on, and the worker hears whether anybody still waits
                 └── lapse ─┘      counted in the book; the third is the task's failure

The book is the truth: a task is offered once its turn is written, and a worker gets it only after another look into the
book; whatever nobody waits for any more leaves the queue there at the latest. An outcome is accepted by the core's
gate, once, also from a worker whose lease has lapsed. A crash between any two calls leaves an offer too many (dropped
at the next look), or a lease that nobody was told of (which lapses).
"""

from dataclasses import dataclass

import msgspec

from linkflow.engine.engine import Engine
from linkflow.engine.news import tell
from linkflow.engine.portions import hold, reserve
from linkflow.engine.wakes import wake
from linkflow.execution.advance import PATIENCE, expects, owed, run_task
from linkflow.execution.commands import RunTask
from linkflow.execution.events import LeaseLapsed, TaskFailed, TaskStarted
from linkflow.execution.failures import INTERRUPTED
from linkflow.execution.state import State
from linkflow.language.json import Json
from linkflow.nodes.base import RESOURCE
from linkflow.nodes.remote_task import RemoteTask
from linkflow.stores import index_keys
from linkflow.stores.leases import Offer, Standing
from linkflow.stores.limits import Line, Rate

LEASE = 60.0
"""Seconds of a lease that neither the task nor its worker gave a length."""
LOOK_EVERY = 5.0
"""Seconds between looks into the queue while a worker waits, in case another process offers; the first comes after one
second, the next each a second later than the one before."""
_BATCH = 200


@dataclass(frozen=True, slots=True)
class Wish:
    """What a worker asks for: up to `limit` tasks, each for `seconds` unless the task says how often it must be heard
    of. `worker` names it to people."""

    worker: str
    limit: int = 1
    wait: float = 0.0
    seconds: float = LEASE


@dataclass(frozen=True, slots=True)
class Leased:
    """A task in a worker's hands until the moment `until`, unless it is heard of before. `token` is what it must name;
    `lease` is 1 for the first worker that gets this attempt."""

    token: str
    execution: str
    lease: int
    until: float
    task: RunTask
    payload: Json


def queue_of(task: RunTask) -> str:
    """The task queue that a remote task stands in."""
    if task.resource == RESOURCE + RemoteTask.type:
        return RemoteTask.configured(task.arguments).queue
    return task.resource.rpartition(":activity:")[2]


def offer_of(workspace: str, execution: str, task: RunTask) -> Offer:
    """Raises `EvaluationFailed` when the task's config makes no sense."""
    return Offer(workspace, queue_of(task), execution, task.scope, task.task, task.scheduled, task.priority)


def bell_of(workspace: str, queue: str) -> str:
    return f"tasks {workspace} {queue}"


async def offer(engine: Engine, offered: Offer) -> None:
    """Let workers see it. Offering again changes nothing."""
    await engine.leases.offer(offered)
    engine.bells.ring(bell_of(offered.workspace, offered.queue))


async def remind(engine: Engine, workspace: str, execution: str, state: State) -> None:
    """Offer again what should be in its queue and is not (it was lost, or deleted by hand)."""
    program = await engine.programs.get(workspace, state.names.workflow_id, state.version, state.program)
    for task in owed(program, state):
        if task.pattern == "activity":
            offered = offer_of(workspace, execution, task)
            if await engine.leases.get(offered.key) is None:
                await offer(engine, offered)


async def poll(engine: Engine, workspace: str, queue: str, wish: Wish) -> list[Leased]:
    """Up to `wish.limit` tasks, as soon as there is one; none after `wish.wait` seconds, or when the process stops."""
    deadline, looks = engine.clock.now() + wish.wait, 0
    while True:
        looks += 1
        taken: list[Leased] = []
        try:
            async for standing in engine.leases.standing(workspace, queue):
                if (leased := await _take(engine, standing, wish)) is not None:
                    taken.append(leased)
                if len(taken) == wish.limit:
                    break
        except _Full:
            pass  # (the queue's own limit: what is leased must end, or time pass, before anybody gets more)
        now = engine.clock.now()
        if taken or now >= deadline or engine.bells.dismissed:
            return taken
        await engine.bells.wait(bell_of(workspace, queue), min(LOOK_EVERY, looks, deadline - now), engine.clock)


async def _take(engine: Engine, standing: Standing, wish: Wish) -> Leased | None:
    """Lease this one, if it is to be had."""
    now = engine.clock.now()
    if standing.offer.until > now:
        return None
    if standing.offer.until:
        lapsed = await lapse(engine, standing)
        if lapsed is None:
            return None
        standing = lapsed
    return await _lease(engine, standing, wish, now)


async def _lease(engine: Engine, standing: Standing, wish: Wish, now: float) -> Leased | None:
    offered = standing.offer
    task, paused = await _owed(engine, offered)
    if paused:
        return None  # (the offer stands, and nobody gets it)
    if task is None:
        await engine.leases.withdraw(offered.key)
        return None
    seconds = _length(task) or wish.seconds
    lease = offered.leases + 1
    held = msgspec.structs.replace(
        offered, leases=lease, worker=wish.worker, since=now, until=now + seconds, seconds=seconds
    )
    if not await _has_room(engine, offered, held.until):
        raise _Full
    if not await engine.leases.change(standing, held):
        return None
    started = TaskStarted(offered.scope, offered.task, now, wish.worker)
    state = await tell(engine, offered.workspace, offered.execution, started)
    if not expects(state, offered.scope, offered.task):
        await engine.leases.withdraw(offered.key)
        return None
    return Leased(task.token or "", offered.execution, lease, held.until, task, _payload(task))


class _Full(Exception):
    """The queue's limit lets nobody have more at present."""


async def _has_room(engine: Engine, offered: Offer, until: float) -> bool:
    """Whether the workspace's rule for the queue, if there is one, lets the task be leased (until then)."""
    rule = (await engine.rules.of(offered.workspace)).get(f"queue:{offered.queue}")
    if rule is None:
        return True
    if rule.at_once is not None and not await _hold(engine, offered, rule.name, rule.at_once, until):
        return False
    if rule.limit is not None:
        rate = Rate(rule.limit, rule.per_seconds)
        return await reserve(engine, offered.workspace, rule.name, rate, 0.0) <= engine.clock.now()
    return True


async def _hold(engine: Engine, offered: Offer, name: str, limit: int, until: float) -> bool:
    """Let the lease hold a slot of its queue's limit until then; one that ended holds none."""
    who, count = f"{offered.execution}.{offered.task}", int(until > 0)
    return await hold(engine, Line(offered.workspace, name, limit), who, until, count)


async def _prolong(engine: Engine, offered: Offer, until: float) -> None:
    """The same for a lease that goes on, or (0) has ended."""
    rule = (await engine.rules.of(offered.workspace)).get(f"queue:{offered.queue}")
    if rule is not None and rule.at_once is not None:
        await _hold(engine, offered, rule.name, rule.at_once, until)


async def _owed(engine: Engine, offered: Offer) -> tuple[RunTask | None, bool]:
    """The task as the book has it, None when nobody waits for it any more; and whether its execution is paused."""
    book = await engine.books.load(offered.workspace, offered.execution)
    if book is None or not expects(book.state, offered.scope, offered.task):
        return None, False
    state = book.state
    program = await engine.programs.get(offered.workspace, state.names.workflow_id, state.version, state.program)
    return run_task(program, state, state.scopes[offered.scope]), state.paused is not None


def _length(task: RunTask) -> float | None:
    """How often the task's worker must be heard of, seconds."""
    if task.resource == RESOURCE + RemoteTask.type:
        return RemoteTask.configured(task.arguments).heartbeat
    return task.heartbeat


def _payload(task: RunTask) -> Json:
    if task.resource == RESOURCE + RemoteTask.type:
        return RemoteTask.configured(task.arguments).payload
    return task.arguments


async def extend(engine: Engine, workspace: str, execution: str, task: RunTask, worker: str) -> float | None:
    """The worker was heard of: the moment until which its lease now lasts. None when the task is another's. One whose
    lease lapsed, and that nobody took meanwhile, has it back."""
    standing = await engine.leases.get(offer_of(workspace, execution, task).key)
    if standing is None:
        return None
    offered = standing.offer
    if worker and offered.worker != worker:
        return None
    now = engine.clock.now()
    held = msgspec.structs.replace(offered, until=now + offered.seconds, leases=max(1, offered.leases))
    await _prolong(engine, held, held.until)
    return held.until if await engine.leases.change(standing, held) else None


async def settle(engine: Engine, workspace: str, execution: str, task: RunTask) -> None:
    """The task has its outcome: it leaves the queue."""
    if task.pattern == "activity":
        offered = offer_of(workspace, execution, task)
        await engine.leases.withdraw(offered.key)
        await _prolong(engine, offered, 0.0)
        engine.bells.ring(bell_of(workspace, offered.queue))


async def lapse(engine: Engine, standing: Standing) -> Standing | None:
    """The lease ended without an outcome: it is counted, and the task offered again, unless it is given up or nobody
    waits for it. None then, and when somebody else saw to it."""
    offered = standing.offer
    task, _ = await _owed(engine, offered)
    if task is not None:
        news = _lapsed(offered, task)
        await tell(engine, offered.workspace, offered.execution, news)
    else:  # (whoever wrote its outcome may have died before the wake)
        await engine.queue.send([wake(offered.workspace, offered.execution)])
    if task is None or isinstance(news, TaskFailed):
        await engine.leases.withdraw(offered.key)
        return None
    free = msgspec.structs.replace(offered, until=0.0)
    if not await engine.leases.change(standing, free):
        return None
    engine.bells.ring(bell_of(offered.workspace, offered.queue))
    return Standing(free, standing.version + 1)


def _lapsed(offered: Offer, task: RunTask) -> LeaseLapsed | TaskFailed:
    if offered.leases < PATIENCE and not task.at_most_once:
        return LeaseLapsed(offered.scope, offered.task, offered.leases)
    times = "The worker" if offered.leases == 1 else f"{offered.leases} workers one after another"
    cause = f"{times} leased this task and stopped giving signs of life; the last was '{offered.worker}'."
    return TaskFailed(offered.scope, offered.task, INTERRUPTED, cause, offered.since, offered.until)


async def lapse_all(engine: Engine, now: float) -> int:
    """See to every lease that ended by `now`; how many there were."""
    count = 0
    for shard in range(index_keys.DUE_SHARDS):
        found = await engine.leases.lapsed(shard, now, _BATCH)
        for standing in found:
            current = await engine.leases.get(standing.offer.key)
            if current is not None and 0 < current.offer.until <= now:
                await lapse(engine, current)
        count += len(found)
    return count


@dataclass(frozen=True, slots=True)
class Backlog:
    """What stands in a task queue. `oldest` is the moment at which the longest waiting was offered."""

    waiting: int
    leased: int
    oldest: float | None


async def backlog(engine: Engine, workspace: str, queue: str) -> Backlog:
    now, waiting, leased = engine.clock.now(), 0, 0
    oldest: float | None = None
    async for standing in engine.leases.standing(workspace, queue):
        if standing.offer.until > now:
            leased += 1
        else:
            waiting += 1
            oldest = min(oldest or standing.offer.offered_at, standing.offer.offered_at)
    return Backlog(waiting, leased, oldest)
