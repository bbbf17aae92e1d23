"""Tasks that end when something comes from outside: each registers what it needs, tells whom it must, and is submitted.

Registering is done under names that follow from the execution and the task's number, so a task that is run again after
a crash registers nothing twice. What is told is told with the same idempotency keys.
"""

from typing import Any, Final

import msgspec

from linkflow.engine.engine import Call, Engine, Told
from linkflow.engine.notices import notify
from linkflow.execution.events import TaskSubmitted
from linkflow.language.handlers import LONGEST_PAUSE
from linkflow.language.json import Json
from linkflow.nodes.base import NodeFailed
from linkflow.stores.subscriptions import Subscription

LARGEST_SIGHT: Final = 32_768
"""Bytes of what a filter may look at besides the event."""
_DAY: Final = 86_400.0


class CallbackWait(msgspec.Struct, frozen=True):
    notify: Json = None


class EventWait(msgspec.Struct, frozen=True, rename={"about": "with", "kind": "type"}):
    kind: str
    filter: str | None = None
    about: dict[str, Json] = {}


def asked(call: Call, kind: type[Any]) -> Any:
    """What the task is given, as it must be. Raises `NodeFailed`."""
    try:
        return msgspec.convert(call.task.arguments, kind)
    except msgspec.ValidationError as error:
        raise NodeFailed(
            "LinkFlow.BadConfig", f"The computed config does not fit: {error}.", retryable=False
        ) from error


async def callback(engine: Engine, call: Call) -> Told:
    wait: CallbackWait = asked(call, CallbackWait)
    await notify(engine, call, [] if wait.notify is None else [wait.notify])
    return TaskSubmitted(call.task.scope, call.task.task)


async def event(engine: Engine, call: Call) -> Told:
    wait: EventWait = asked(call, EventWait)
    if len(msgspec.json.encode(wait.about)) > LARGEST_SIGHT:
        told = (
            f"The filter mentions values of over {LARGEST_SIGHT:,} bytes; put what it needs into a 'set' node before."
        )
        raise NodeFailed("LinkFlow.BadConfig", told, retryable=False)
    task, now = call.task, engine.clock.now()
    subscription = Subscription(
        call.workspace,
        wait.kind,
        now,
        wait.filter,
        wait.about,
        execution=call.execution,
        scope=task.scope,
        task=task.task,
    )
    await engine.subscriptions.add(subscription, (task.deadline or now + LONGEST_PAUSE) + _DAY)
    return TaskSubmitted(task.scope, task.task)
