"""The door of remote workers: poll, complete, fail, heartbeat, backlog. The same under `/api/v1` (API key) and under
`/engine/v1` (signed); the service that offers it says who calls.
"""

from collections.abc import Callable
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import Field

from linkflow.engine import callbacks, lease
from linkflow.engine.callbacks import Refusal
from linkflow.engine.lease import Leased, Wish
from linkflow.errors import Conflict
from linkflow.runtime.routes import Routes, Schema
from linkflow.runtime.views import time_view
from linkflow.runtime.wiring import World

_TAGS = ["task queues"]
LONGEST_POLL = 60.0
GATEWAY_POLL = 25.0
"""Seconds: below what API gateways bear (29)."""
Name = Annotated[str, Path(min_length=1, max_length=80, description="The queue, or the activity, of the tasks.")]


class Poll(Schema):
    """A worker asks for work. `lease`: seconds for which it has a task without being heard of, unless the task says."""

    worker: str = Field("", max_length=200, description="Who you are, for people.")
    limit: int = Field(1, ge=1, le=100, description="At most so many tasks.")
    wait: float = Field(0, ge=0, le=LONGEST_POLL, description="Seconds to wait for the first.")
    lease: float = Field(lease.LEASE, ge=1, le=86_400)


class LeasedTask(Schema):
    """`token` is what the other calls must name; send `idempotency_key` along to whatever the work touches."""

    token: str
    execution: str
    node: str
    attempt: int
    lease: int
    input: Any = None
    idempotency_key: str
    lease_until: str
    deadline: str | None = None


class LeasedTasks(Schema):
    data: list[LeasedTask]


class TaskToken(Schema):
    token: str = Field(min_length=1, max_length=2_048, description="From the poll.")


class Completed(TaskToken):
    output: Any = None


class Failed(TaskToken):
    error: str | None = Field(None, max_length=256)
    cause: str | None = Field(None, max_length=32_768)
    retryable: bool = Field(True, description="False: no rule of the workflow may try again.")
    details: dict[str, Any] | None = Field(None, description="For people and programs; never secrets.")


class Beat(TaskToken):
    worker: str = Field("", max_length=200, description="As in the poll; keeps another's lease from being prolonged.")


class Beaten(Schema):
    """`cancelled`: nobody waits for the task any more, or it is another worker's now; stop working on it."""

    cancelled: bool
    lease_until: str | None = None


class BacklogView(Schema):
    queue: str
    waiting: int
    leased: int
    oldest_waiting_seconds: float | None = None


def task_queue_routes(routes: Routes, world: World, base: str, workspace: Callable[[], str]) -> None:
    """Adds the routes below `base`; `workspace` tells in whose name the present call is made."""
    longest = LONGEST_POLL if world.settings.resident else GATEWAY_POLL

    @routes.post(f"{base}/task-queues/<name>/poll", tags=_TAGS, summary="Lease tasks to work on")
    async def poll_tasks(name: Name, body: Poll) -> LeasedTasks:
        wish = Wish(body.worker, body.limit, min(body.wait, longest), body.lease)
        return LeasedTasks(data=[_leased(one) for one in await lease.poll(world.engine, workspace(), name, wish)])

    @routes.post(f"{base}/task-queues/<name>/complete", tags=_TAGS, summary="The output of a task", status_code=202)
    async def complete_task(name: Name, body: Completed) -> None:  # noqa: ARG001 (the token says which task)
        await callbacks.succeed(world.engine, workspace(), body.token, body.output)

    @routes.post(f"{base}/task-queues/<name>/fail", tags=_TAGS, summary="A task failed", status_code=202)
    async def fail_task(name: Name, body: Failed) -> None:  # noqa: ARG001 (the token says which task)
        refusal = Refusal(body.error, body.cause, body.retryable, body.details)
        await callbacks.fail(world.engine, workspace(), body.token, refusal)

    @routes.post(f"{base}/task-queues/<name>/heartbeat", tags=_TAGS, summary="The work goes on; is it still wanted?")
    async def beat_task(name: Name, body: Beat) -> Beaten:  # noqa: ARG001 (the token says which task)
        return await _beat(world, workspace(), body)

    @routes.get(f"{base}/task-queues/<name>", tags=_TAGS, summary="How much stands in a task queue")
    async def get_task_queue(name: Name) -> BacklogView:
        found = await lease.backlog(world.engine, workspace(), name)
        age = None if found.oldest is None else round(world.clock.now() - found.oldest, 3)
        return BacklogView(queue=name, waiting=found.waiting, leased=found.leased, oldest_waiting_seconds=age)


async def _beat(world: World, workspace: str, beat: Beat) -> Beaten:
    try:
        until = await callbacks.heartbeat(world.engine, workspace, beat.token, beat.worker)
    except Conflict:
        return Beaten(cancelled=True)
    return Beaten(cancelled=until is None, lease_until=time_view(until))


def _leased(leased: Leased) -> LeasedTask:
    task = leased.task
    return LeasedTask(
        token=leased.token,
        execution=leased.execution,
        node=task.node,
        attempt=task.attempt,
        lease=leased.lease,
        input=leased.payload,
        idempotency_key=task.key,
        lease_until=time_view(leased.until),
        deadline=time_view(task.deadline),
    )
