"""Workspaces: for now, taking one away."""

from typing import Final

from linkflow import ids
from linkflow.engine.platform.bulk import begin
from linkflow.engine.platform.deletion import MACHINE
from linkflow.errors import Fault, Invalid, NotFound
from linkflow.runtime.wiring import World
from linkflow.stores.operations import Operation
from linkflow.stores.records import ApiKey

CURRENT: Final = "current"


async def delete(world: World, caller: ApiKey, workspace: str, confirm: str, reason: str) -> Operation:
    """Begin to delete everything of the workspace; asked again meanwhile, the one under way. `current` is the caller's.
    Raises `NotFound` for a workspace that is another's, `Invalid` without its id as the confirmation."""
    workspace = caller.workspace if workspace == CURRENT else workspace
    if workspace != caller.workspace:
        raise NotFound("workspace", workspace)
    if confirm != workspace:
        told = f"Everything will be gone for good. If that is meant, send 'confirm={workspace}'."
        raise Invalid("The request", [Fault("$.query.confirm", "not_confirmed", told)])
    found, _ = await world.engine.operations.listed(workspace, 100, None)
    under_way = [one for one in found if one.action == "delete_workspace" and one.status == "running"]
    if under_way:
        return under_way[0]
    operation = Operation(
        world.ids.new(ids.OPERATION), workspace, "delete_workspace", caller.user, world.clock.now(), reason=reason
    )
    return await begin(world.engine, operation, MACHINE)
