"""The day's sweep: workspace by workspace, as far as its time goes; the next one goes on."""

import logging

from linkflow.engine.platform.system import SYSTEM
from linkflow.engine.retention import sweep
from linkflow.runtime.wiring import World
from linkflow.stores.accounts import Accounts
from linkflow.stores.archive import Archive

AT_MOST = 600.0
"""Seconds that one sweep takes."""
_log = logging.getLogger(__name__)


async def keep(world: World, now: float) -> None:
    """Archive and remove what is due."""
    until = world.clock.now() + AT_MOST
    for workspace in await _workspaces(world):
        batches = await sweep(world.engine, workspace, now, until)
        if batches:
            _log.info("archived", extra={"workspace": workspace, "batches": batches})


async def _workspaces(world: World) -> list[str]:
    """The owner's, the platform's own, and those that say for themselves how long they keep things."""
    owner = await Accounts(world.table).owner()
    own = [SYSTEM] if owner is None else [owner.workspace, SYSTEM]
    return [*own, *(one for one in await Archive(world.table, world.blobs).workspaces() if one not in own)]
