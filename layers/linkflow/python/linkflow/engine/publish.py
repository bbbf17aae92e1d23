"""Events: what happened elsewhere, told to whoever waits for it. Workflows that start with it start, tasks that end
with it end.

An event is named by its source and id. The first publication is written down before anything follows from it, and again
when everything has; so one that is repeated within a day does nothing, and one that died in the middle is finished by
its repetition: a start is remembered by the event's name, a task ends once, and who subscribed after the first
publication is not meant.

A few subscribers are told within the request, whose answer says what followed. More are told page by page, each by a
message that sends the next; the request is answered as soon as that is written down, with the event. A page that comes
again is told again, which changes nothing. Clocks differ: who stands there when an event comes is told whatever his
says, and of many also those who subscribed in the seconds behind it.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

import msgspec

from linkflow.engine.callbacks import end
from linkflow.engine.engine import Engine
from linkflow.engine.start import Start, start
from linkflow.engine.wakes import spread
from linkflow.errors import Held, NotFound, TooLarge
from linkflow.execution.events import TaskSucceeded
from linkflow.language.filters import holds
from linkflow.messages import Spread
from linkflow.nodes.event import EventTrigger
from linkflow.ports import CLOCKS_APART, Item
from linkflow.stores import keys
from linkflow.stores.claims import claim
from linkflow.stores.records import decode, encode
from linkflow.stores.subscriptions import Subscription

_log = logging.getLogger(__name__)
REMEMBERED: Final = 86_400.0
"""Seconds for which an event is known again."""
LARGEST: Final = 262_144
"""Bytes of JSON."""
FEW: Final = 200
"""Subscribers that are told within the request, and by one message where they are more."""
AT_ONCE: Final = 50
"""Subscribers that are told at the same time."""


class Published(msgspec.Struct, frozen=True, omit_defaults=True):
    """What followed: executions that were `started`, and those of which a wait was `ended`. `repeated`: it all followed
    from an earlier publication; `queued`: there are many to tell, who are being told."""

    since: float
    done: bool = False
    started: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    repeated: bool = False
    queued: bool = False


async def publish(engine: Engine, workspace: str, event: Mapping[str, Any]) -> Published:
    """`event` is a CloudEvent as JSON (CloudEvents 1.0, structured mode), checked for its required attributes."""
    size = len(msgspec.json.encode(event))
    if size > LARGEST:
        raise TooLarge("The event", size, LARGEST)
    now, name = engine.clock.now(), _name(event)
    key = keys.published(workspace, name)
    found = await claim(engine.table, Item(key, encode(Published(now)), expires_at=now + REMEMBERED), now)
    before = Published(now) if found is None else decode(found.body, Published)
    if before.done:
        return msgspec.structs.replace(before, repeated=True)
    few, cursor = await engine.subscriptions.page(workspace, event["type"], FEW)
    if before.queued or cursor is not None:
        return await _queued(engine, workspace, event, before)
    if found is not None:
        few = [one for one in few if one.since <= before.since]
    followed = await _told(engine, few, event, name, before.since)
    done = Published(before.since, True, *followed)
    await engine.table.put(Item(key, encode(done), expires_at=before.since + REMEMBERED))
    return done


async def _queued(engine: Engine, workspace: str, event: Mapping[str, Any], before: Published) -> Published:
    """Leave the telling to messages. A repetition sends the first one again, should it have been lost."""
    name = _name(event)
    queued = Published(before.since, queued=True)
    expires, whole = before.since + REMEMBERED, msgspec.json.encode(event)
    item = Item(keys.published(workspace, name), encode(queued), whole, expires_at=expires)
    await engine.table.put(item, sends=[spread(Spread(workspace, name))])
    return msgspec.structs.replace(queued, repeated=before.queued)


async def tell_more(engine: Engine, message: Spread) -> None:
    """Tell a page of the subscribers, and leave those behind it to another message."""
    key = keys.published(message.workspace, message.event)
    item = await engine.table.get(key)
    if item is None or item.payload is None:
        return  # all are told, or it is too late to
    event, published = msgspec.json.decode(item.payload), decode(item.body, Published)
    page, cursor = await engine.subscriptions.page(message.workspace, event["type"], FEW, message.cursor)
    meant = [one for one in page if one.since <= published.since + CLOCKS_APART]
    await _told(engine, meant, event, message.event, published.since)
    if cursor is not None:
        await engine.queue.send([spread(msgspec.structs.replace(message, cursor=cursor))])
        return
    done = msgspec.structs.replace(published, done=True)
    await engine.table.put(Item(key, encode(done), expires_at=published.since + REMEMBERED))


def _name(event: Mapping[str, Any]) -> str:
    return sha256(msgspec.json.encode([event["source"], event["id"]])).hexdigest()


async def _told(
    engine: Engine, subscribers: Sequence[Subscription], event: Mapping[str, Any], name: str, since: float
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tell them, some at a time. Raises what the first raises that cannot be told."""
    started: list[str] = []
    ended: list[str] = []
    room = asyncio.Semaphore(AT_ONCE)

    async def tell_one(one: Subscription) -> None:
        async with room:
            if one.workflow:
                started.extend(await _start(engine, one, event, name))
            elif await _end(engine, one, event):
                ended.append(one.execution)

    try:
        async with asyncio.TaskGroup() as telling:
            for one in subscribers:
                if holds(one.filter, {**one.seen, "event": event}, since):
                    telling.create_task(tell_one(one))
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed
    return tuple(sorted(started)), tuple(sorted(ended))


async def _start(engine: Engine, one: Subscription, event: Mapping[str, Any], name: str) -> list[str]:
    try:
        workflow = await engine.workflows.get(one.workspace, one.workflow)
    except NotFound:
        await engine.subscriptions.remove(one)
        return []
    key = f"event/{name}/{one.workflow}/{one.node}"
    request = Start(workflow, event, EventTrigger.type, one.node, idempotency_key=key, exact=False)
    try:
        return [await start(engine, request)]
    except Held as held:
        _log.warning("event_refused", extra={"workspace": one.workspace, "workflow": one.workflow, "why": held.message})
        return []


async def _end(engine: Engine, one: Subscription, event: Mapping[str, Any]) -> bool:
    """Whether it still waited. In either case the subscription is over."""
    now = engine.clock.now()
    heard = await end(engine, one.workspace, one.execution, TaskSucceeded(one.scope, one.task, event, now, now))
    await engine.subscriptions.remove(one)
    return heard
