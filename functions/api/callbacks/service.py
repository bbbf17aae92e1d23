"""Callbacks as users keep them, the log of what they were told, and telling once more."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace
from pydantic import SecretStr

from functions.api.callbacks.schemas import ChangeCallback, CreateCallback
from linkflow import ids
from linkflow.engine.platform.deliveries import secret_context
from linkflow.engine.platform.notices import MACHINE, given, process_id
from linkflow.engine.platform.system import SYSTEM, run
from linkflow.errors import Conflict, NotFound
from linkflow.execution.advance import next_moment
from linkflow.runtime.wiring import World
from linkflow.stores.callbacks import Callback, Delivery

MOST = 100
"""Callbacks that one workspace may have beside those in its workflows' definitions."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A delivery and when it is tried next."""

    delivery: Delivery
    next_try: float | None


async def create(world: World, workspace: str, body: CreateCallback) -> tuple[Callback, str | None]:
    """The new callback, and its own secret if it has one. Raises `NotFound` for a workflow that is none, `Conflict`
    when there is nothing to sign with, or when there are too many."""
    if body.workflow is not None:
        await world.engine.workflows.get(workspace, body.workflow)
    if not (body.own_secret or body.secret or world.secret):
        raise Conflict("LINKFLOW_SECRET is empty, so nothing signs: set it, or ask for 'own_secret'.")
    if sum(not one.drawn for one in await world.engine.callbacks.listed(workspace)) >= MOST:
        raise Conflict(f"A workspace has at most {MOST} callbacks; delete one that is not needed.")
    identifier, now = world.ids.new(ids.CALLBACK), world.clock.now()
    secret = _secret(world, body.secret) if body.own_secret or body.secret else None
    callback = Callback(
        identifier,
        workspace,
        body.url,
        tuple(body.on),
        now,
        now,
        body.workflow or "",
        body.name,
        None if secret is None else await _sealed(world, workspace, identifier, secret),
    )
    await world.engine.callbacks.create(callback)
    return callback, secret


async def change(world: World, workspace: str, identifier: str, body: ChangeCallback) -> Callback:
    """Raises `NotFound`, and `Conflict` for one that stands in a definition."""
    fields = body.model_dump(exclude_unset=True, exclude_none=True)
    if "on" in fields:
        fields["on"] = tuple(fields["on"])

    def changed(found: Callback) -> Callback:
        _free(found)
        return replace(found, updated_at=world.clock.now(), **fields)

    return await world.engine.callbacks.change(workspace, identifier, changed)


async def delete(world: World, workspace: str, identifier: str) -> None:
    """What it is still to be told ends with it. Raises `NotFound`, and `Conflict` for one in a definition."""
    _free(await world.engine.callbacks.get(workspace, identifier))
    await world.engine.callbacks.delete(workspace, identifier)


async def rotate(world: World, workspace: str, identifier: str, secret: SecretStr | None) -> tuple[Callback, str]:
    """From now on every attempt is signed with the new secret. Raises `NotFound`."""
    await world.engine.callbacks.get(workspace, identifier)
    text = _secret(world, secret)
    sealed = await _sealed(world, workspace, identifier, text)

    def changed(found: Callback) -> Callback:
        return replace(found, secret=sealed, updated_at=world.clock.now())

    return await world.engine.callbacks.change(workspace, identifier, changed), text


async def deliveries(
    world: World, workspace: str, identifier: str, limit: int, cursor: str | None
) -> tuple[Sequence[Shown], str | None]:
    """Newest execution first. Raises `NotFound`."""
    await world.engine.callbacks.get(workspace, identifier)
    found, following = await world.engine.deliveries.listed(workspace, identifier, limit, cursor)
    return await asyncio.gather(*(_shown(world, one) for one in found)), following


async def redeliver(world: World, workspace: str, identifier: str, delivery: str) -> Shown:
    """Tell once more, with the same body and id. Begun twice at the same time it is begun once. Raises `NotFound`, and
    `Conflict` while it is still being tried, or when what was told is kept no longer."""
    await world.engine.callbacks.get(workspace, identifier)
    found = await world.engine.deliveries.get(workspace, identifier, delivery)
    if found is None:
        raise NotFound("delivery", delivery)
    if found.status == "pending":
        raise Conflict("It is being tried already; 'next_try_at' says when.")
    book = await world.engine.books.load(SYSTEM, process_id(found.id, found.round))
    if book is None:
        raise Conflict("What was told then is kept no longer.")
    following = found.round + 1
    again = given(found, following, book.state.input["payload"])
    await run(world.engine, MACHINE, again, process_id(found.id, following))
    return await _shown(world, await world.engine.deliveries.again(found, following, world.clock.now()))


async def _shown(world: World, delivery: Delivery) -> Shown:
    if delivery.status != "pending":
        return Shown(delivery, None)
    book = await world.engine.books.load(SYSTEM, process_id(delivery.id, delivery.round))
    waits = (
        book is not None and not book.state.closed and any(one.phase == "backoff" for one in book.state.scopes.values())
    )
    return Shown(delivery, next_moment(book.state) if book is not None and waits else None)


def _free(callback: Callback) -> None:
    if callback.drawn:
        raise Conflict("This callback stands in its workflow's definition; change it there.")


def _secret(world: World, given_: SecretStr | None) -> str:
    return given_.get_secret_value() if given_ else world.ids.secret()


async def _sealed(world: World, workspace: str, identifier: str, secret: str) -> bytes:
    return await world.keyring.seal(secret.encode(), secret_context(workspace, identifier))
