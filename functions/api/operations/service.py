"""Operations on many executions: asked for here, carried out by `state_machines/bulk_operation`."""

from dataclasses import replace
from hashlib import sha256

from functions.api.operations.schemas import CreateOperation
from linkflow import ids
from linkflow.engine.platform.bulk import begin
from linkflow.engine.platform.upkeep import REDRIVE
from linkflow.engine.start import REMEMBERED
from linkflow.errors import Conflict, Fault, Invalid
from linkflow.execution.state import Status
from linkflow.ports import Item
from linkflow.runtime.searching import Filters, query_of
from linkflow.runtime.wiring import World
from linkflow.search import Query, Span
from linkflow.stores import keys
from linkflow.stores.claims import claim
from linkflow.stores.operations import Operation, finished
from linkflow.stores.records import Answered, ApiKey, decode, encode

_OPEN: tuple[Status, ...] = ("running",)
_FAILED: tuple[Status, ...] = ("failed", "timed_out")
_ENDED: tuple[Status, ...] = (*_FAILED, "cancelled", "terminated")


async def create(world: World, caller: ApiKey, body: CreateOperation, key: str | None) -> Operation:
    """The operation, under way. With an idempotency key that was used before, the one it made. Raises `Invalid`."""
    if body.action == "redrive":
        return await _redrive(world, caller, body, key)
    if not body.everything and not body.filter.model_dump(exclude_defaults=True):
        told = "This filter lets everything through; if that is meant, send 'everything': true."
        raise Invalid("The request", [Fault("$.body.filter", "empty_filter", told)])
    now = world.clock.now()
    identifier = world.ids.new(ids.OPERATION)
    if key is not None:
        identifier = await _claimed(world, caller.workspace, key, identifier, body)
    query = _query(caller.workspace, body, now)
    operation = Operation(identifier, caller.workspace, body.action, caller.user, now, query, body.reason)
    return await begin(world.engine, operation)


async def call_off(world: World, workspace: str, identifier: str) -> Operation:
    """What was done stays done; it stops with its next batch. Raises `NotFound`, and `Conflict` when it is over."""
    now = world.clock.now()

    def called_off(found: Operation) -> Operation:
        if found.action == "delete_workspace":
            raise Conflict("The deletion of a workspace cannot be called off; part of it is gone already.")
        if found.status not in ("running", "cancelled"):
            raise Conflict(f"The operation is over already: {found.status}.")
        return finished(found, "cancelled", now)

    return await world.engine.operations.change(workspace, identifier, called_off, now)


async def _redrive(world: World, caller: ApiKey, body: CreateOperation, key: str | None) -> Operation:
    if body.filter.model_dump(exclude_defaults=True):
        told = "Dead letters are sent again by 'queue', or all; a filter is for executions."
        raise Invalid("The request", [Fault("$.body.filter", "no_filter", told)])
    identifier, now = world.ids.new(ids.OPERATION), world.clock.now()
    if key is not None:
        identifier = await _claimed(world, caller.workspace, key, identifier, body)
    operation = Operation(
        identifier, caller.workspace, "redrive", caller.user, now, reason=body.reason, stage=body.queue or ""
    )
    return await begin(world.engine, operation, REDRIVE)


async def _claimed(world: World, workspace: str, key: str, identifier: str, body: CreateOperation) -> str:
    """The operation that the idempotency key stands for: this one, or one asked for before. Raises `Conflict` when that
    was another request."""
    now, digest = world.clock.now(), sha256(body.model_dump_json().encode()).hexdigest()
    place = keys.idempotency(workspace, f"operations/{key}")
    item = Item(place, encode(Answered(identifier, digest)), expires_at=now + REMEMBERED)
    found = await claim(world.table, item, now)
    if found is None:
        return identifier
    before = decode(found.body, Answered)
    if before.digest != digest:
        raise Conflict("This Idempotency-Key was used for another request; use a new one for each request.")
    return before.execution


def _query(workspace: str, body: CreateOperation, now: float) -> Query:
    """Raises `Invalid`."""
    try:
        query, only = query_of(workspace, body.filter)
    except Invalid as wrong:
        here = [Fault(one.path.replace("$.query", "$.body.filter"), one.code, one.message) for one in wrong.details]
        raise Invalid("The request", here) from None
    if only is not None or body.filter.archived:
        told = "Name no single execution, and none in the archive; one has routes of its own, an archived one is over."
        raise Invalid("The request", [Fault("$.body.filter", "not_many", told)])
    started = Span(query.started.first, min(now, query.started.last or now))
    return replace(query, statuses=_statuses(body.action, body.filter), started=started)


def _statuses(action: str, wanted: Filters) -> tuple[Status, ...]:
    """Those the action can do something about, of those that are wanted. Raises `Invalid` when there are none."""
    can = _ENDED if action == "retry" else _OPEN
    asked = wanted.status or (_FAILED if action == "retry" else _OPEN)
    both = tuple(status for status in asked if status in can)
    if not both:
        told = f"'{action}' does nothing to these; it concerns executions that are {', '.join(can)}."
        raise Invalid("The request", [Fault("$.body.filter.status", "wrong_status", told)])
    return both
