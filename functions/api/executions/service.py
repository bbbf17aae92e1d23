"""Executions as users see them."""

from linkflow.engine.histories import all_turns
from linkflow.execution.state import State
from linkflow.execution.timeline import Entry, timeline
from linkflow.runtime.wiring import World


async def detail(world: World, workspace: str, execution: str) -> tuple[State, list[Entry], bool]:
    """The execution with every node's entries, and whether it is archived. Raises `NotFound`."""
    turns = await all_turns(world.engine, workspace, execution)
    return *timeline((one.turn.at, one.turn.events) for one in turns), turns[0].archived
