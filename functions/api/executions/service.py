"""Executions as users see them."""

from collections.abc import Mapping

from functions.api.executions.schemas import ResetExecution
from linkflow.engine.histories import all_turns
from linkflow.engine.resets import Reset, reset
from linkflow.execution.state import State
from linkflow.execution.timeline import Entry, timeline
from linkflow.runtime.wiring import World
from linkflow.stores.records import ApiKey


async def detail(world: World, workspace: str, execution: str) -> tuple[State, list[Entry], bool]:
    """The execution with every node's entries, and whether it is archived. Raises `NotFound`."""
    turns = await all_turns(world.engine, workspace, execution)
    return *timeline((one.turn.at, one.turn.events) for one in turns), turns[0].archived


async def take_up_again(
    world: World, caller: ApiKey, execution: str, body: ResetExecution, headers: Mapping[str, str]
) -> str:
    """The id of the execution that goes on instead. Raises what `reset` raises."""
    key = headers.get("idempotency-key")
    wish = Reset(body.turn, body.index, body.node, body.version, caller.user, body.reason, key)
    return await reset(world.engine, caller.workspace, execution, wish)
