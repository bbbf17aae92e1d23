"""What callers wish of an execution, the same at every door; and from where it is taken up again."""

from typing import Literal

from pydantic import Field

from linkflow.engine.resets import Reset, reset
from linkflow.runtime.routes import Schema
from linkflow.runtime.wiring import World


class Wish(Schema):
    """`reason` is kept in the execution's book."""

    reason: str = Field("", max_length=1000)


class ResetExecution(Wish):
    """Take it up again behind event `index` of turn `turn` (all of it unless told), or before the last entry into
    `node`; by the `same` version, or the `newest` if that would have gone the same way."""

    turn: int | None = Field(None, ge=0)
    index: int | None = Field(None, ge=0)
    node: str | None = Field(None, min_length=1, max_length=80)
    version: Literal["same", "newest"] = "same"


class ResetView(Schema):
    """The execution that goes on instead."""

    id: str
    url: str


async def take_up_again(
    world: World, workspace: str, execution: str, body: ResetExecution, by: str, key: str | None
) -> str:
    """The id of the execution that goes on instead. Raises what `reset` raises."""
    wish = Reset(body.turn, body.index, body.node, body.version, by, body.reason, key)
    return await reset(world.engine, workspace, execution, wish)
