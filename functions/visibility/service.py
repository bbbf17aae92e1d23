"""The day's retention: one process of the platform for each workspace (`state_machines/retention`)."""

from linkflow.engine.platform.system import SYSTEM
from linkflow.engine.platform.upkeep import keep as begin
from linkflow.runtime.wiring import World
from linkflow.stores.accounts import Accounts
from linkflow.stores.archive import Archive


async def keep(world: World, now: float) -> None:
    """Have what is due archived and removed."""
    for workspace in await _workspaces(world):
        await begin(world.engine, workspace, now)


async def _workspaces(world: World) -> list[str]:
    """The owner's, the platform's own, and those that say for themselves how long they keep things."""
    owner = await Accounts(world.table).owner()
    own = [SYSTEM] if owner is None else [owner.workspace, SYSTEM]
    return [*own, *(one for one in await Archive(world.table, world.blobs).workspaces() if one not in own)]
