"""What a verb of the platform is: a task of the system workspace's executions, and of no others.

Each is small, bounded and idempotent, and its output says how far it came: what it did is repeated when its process
dies before the book knows.
"""

from typing import Final, Protocol

from linkflow.engine.engine import Call, Engine, Integration, Told
from linkflow.engine.platform.system import SYSTEM
from linkflow.errors import TryAgain
from linkflow.execution.events import TaskSucceeded
from linkflow.language.json import Json
from linkflow.nodes.base import RESOURCE, NodeFailed

PREFIX: Final = f"{RESOURCE}platform."


class Verb(Protocol):
    async def __call__(self, engine: Engine, call: Call, /) -> Told: ...


def only_for_the_platform(verb: Verb) -> Integration:
    """The verb as an integration; to the tasks of everybody else's workflows there is nothing of that name."""

    async def guarded(engine: Engine, call: Call, /) -> Told:
        if call.workspace != SYSTEM:
            told = f"Nothing here can run '{call.task.resource}'."
            raise NodeFailed("LinkFlow.UnknownResource", told, retryable=False)
        try:
            return await verb(engine, call)
        except TryAgain as error:
            raise NodeFailed("LinkFlow.TryAgain", error.message) from error

    return guarded


def answered(engine: Engine, call: Call, output: Json) -> Told:
    now = engine.clock.now()
    return TaskSucceeded(call.task.scope, call.task.task, output, now, now)
