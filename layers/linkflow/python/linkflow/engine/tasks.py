"""Running one task: the node's verb with its own small world, or an integration, and the outcome as news.

A task that ends later (`.sync`, `.waitForTaskToken`) is only submitted here: its outcome comes from whoever works on
it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import msgspec

from linkflow.engine.enabled import check_enabled
from linkflow.engine.engine import Call, Engine, Told
from linkflow.engine.gates import Postponed, passage
from linkflow.errors import TryAgain
from linkflow.execution.commands import RunTask
from linkflow.execution.events import TaskFailed, TaskPostponed, TaskSubmitted, TaskSucceeded, TaskTimedOut
from linkflow.language.asl.waits import plain
from linkflow.language.view import EvaluationFailed
from linkflow.nodes.base import RESOURCE, NodeFailed, NodeRequest, NodeResponse, TaskContext, TaskNode
from linkflow.ports import HttpFailed, HttpRequest

_log = logging.getLogger(__name__)
NO_DEADLINE = 86_400.0
"""Seconds that a node without a deadline may believe it has."""
PAUSES = (0.2, 1.0, 3.0, 9.0, 27.0)
"""Seconds between the tries of a task while our own stores cannot be reached."""


class _Http(msgspec.Struct, frozen=True, eq=False):
    """The Http port as nodes know it, behind the limits that the workspace set; an isolated task (no `call`) knows of
    none. A node that calls several times and is postponed begins again, with the same idempotency key."""

    engine: Engine
    call: Call | None

    async def send(self, request: NodeRequest) -> NodeResponse:
        port_request = HttpRequest(
            request.method, request.url, request.headers, request.content, request.timeout, request.follow_redirects
        )
        try:
            if self.call is None:
                answer = await self.engine.http.request(port_request)
            else:
                async with passage(self.engine, self.call, request.url):
                    answer = await self.engine.http.request(port_request)
        except HttpFailed as failed:
            raise NodeFailed(failed.code, failed.message, retryable=failed.retryable) from failed
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return NodeResponse(answer.status, headers, answer.content)


class _Context(msgspec.Struct, frozen=True, eq=False):
    http: _Http
    key: str
    attempt: int
    now: float
    remaining: float


async def run_task(engine: Engine, call: Call) -> Told:
    """Runs until the node is done; whoever calls holds the deadline. Raises `TryAgain`, nothing else but when
    cancelled."""

    async def carry_out() -> Told:
        resource = plain(call.task.resource)
        check_enabled(await engine.switchboard.controls(), call.workspace, resource)
        if integration := engine.integrations.get(resource):
            return await integration(engine, call)
        return await _run_node(engine, resource, call.task, call)

    return await _outcome(engine, call.task, carry_out)


async def run_alone(engine: Engine, task: RunTask) -> Told:
    """As `run_bounded`, with nothing of the engine but its node types, its clock, and its way out into the world."""

    async def carry_out() -> Told:
        return await _run_node(engine, plain(task.resource), task, None)

    return await _bounded(engine, task, _outcome(engine, task, carry_out))


async def _run_node(engine: Engine, resource: str, task: RunTask, call: Call | None) -> Told:
    started = engine.clock.now()
    result = await _node(engine, resource, task).run(_context(engine, task, call, started))
    if task.pattern != "request":
        return TaskSubmitted(task.scope, task.task, result.output)
    return TaskSucceeded(task.scope, task.task, result.output, started, engine.clock.now(), result.exit)


async def _outcome(engine: Engine, task: RunTask, carry_out: Callable[[], Awaitable[Told]]) -> Told:
    started = engine.clock.now()
    told = await _told(engine, task, carry_out, started)
    if _log.isEnabledFor(logging.DEBUG):
        ms = round(1000 * (engine.clock.now() - started), 1)
        about = {"node": task.node, "task": task.task, "attempt": task.attempt, "key": task.key}
        _log.debug("task", extra={**about, "ms": ms, "outcome": type(told).__name__})
    return told


async def _told(engine: Engine, task: RunTask, carry_out: Callable[[], Awaitable[Told]], started: float) -> Told:
    try:
        return await _insisted(engine, task, carry_out)
    except Postponed as postponed:
        return TaskPostponed(task.scope, task.task, postponed.until, postponed.paid)
    except NodeFailed as failed:
        return _failed(engine, task, started, failed)
    except EvaluationFailed as failed:
        bad = NodeFailed(failed.error, failed.cause, retryable=False)
        return _failed(engine, task, started, bad)
    except TryAgain:
        raise  # a store did not answer: whoever called is called again, and this task with it
    except Exception:  # noqa: BLE001 (a bug in a node fails its task, not the execution's visit)
        _log.exception("node_broke", extra={"node": task.node, "task": task.task, "attempt": task.attempt})
        broken = NodeFailed(
            "LinkFlow.NodeBroke", f"The node type '{task.resource}' has a bug; the log has the details."
        )
        return _failed(engine, task, started, broken)


async def run_bounded(engine: Engine, call: Call) -> Told:
    """As `run_task`, given up at the task's deadline."""
    return await _bounded(engine, call.task, run_task(engine, call))


async def _bounded(engine: Engine, task: RunTask, work: Coroutine[Any, Any, Told]) -> Told:
    job = asyncio.ensure_future(work)
    if task.deadline is None:
        return await job
    timer = asyncio.ensure_future(engine.clock.sleep(max(0.0, task.deadline - engine.clock.now())))
    try:
        await asyncio.wait([job, timer], return_when=asyncio.FIRST_COMPLETED)
        return job.result() if job.done() else TaskTimedOut(task.scope, task.task)
    finally:
        timer.cancel()
        job.cancel()


async def _insisted(engine: Engine, task: RunTask, carry_out: Callable[[], Awaitable[Told]]) -> Told:
    """Our own stores may have a bad moment, of which no workflow should hear. What tasks do bears repetition."""
    for pause in PAUSES:
        try:
            return await carry_out()
        except TryAgain as trouble:
            _log.warning("task_postponed", extra={"node": task.node, "reason": trouble.message})
            await engine.clock.sleep(pause)
    try:
        return await carry_out()
    except TryAgain as trouble:
        raise NodeFailed("LinkFlow.Unreachable", trouble.message) from trouble


def _node(engine: Engine, resource: str, task: RunTask) -> TaskNode:
    kind = engine.nodes.get(resource.removeprefix(RESOURCE))
    if kind is None or not issubclass(kind, TaskNode):
        raise NodeFailed("LinkFlow.UnknownResource", f"Nothing here can run '{task.resource}'.", retryable=False)
    return kind.configured(task.arguments)


def _context(engine: Engine, task: RunTask, call: Call | None, now: float) -> TaskContext:
    remaining = NO_DEADLINE if task.deadline is None else max(0.001, task.deadline - now)
    return context_of(engine, task, call, now, task.key, remaining)


def context_of(engine: Engine, task: RunTask, call: Call | None, now: float, key: str, remaining: float) -> TaskContext:
    """A node's world, for a task or for a part of one that has an idempotency `key` of its own."""
    return _Context(_Http(engine, call), key, task.attempt, now, remaining)


def _failed(engine: Engine, task: RunTask, started: float, failed: NodeFailed) -> TaskFailed:
    return TaskFailed(
        task.scope,
        task.task,
        failed.code,
        failed.message,
        started,
        engine.clock.now(),
        failed.retryable,
        failed.retry_after,
        failed.details,
    )
