"""What whoever runs the installation may do: set, hold, let go."""

from msgspec.structs import replace

from functions.control_plane.schemas import ChangeSettings, HoldRequest, Maintenance
from linkflow.engine.holds import Scope, hold, release
from linkflow.errors import Fault, Invalid, Outdated
from linkflow.runtime.wiring import World
from linkflow.stores.controls import Controls, Hold, Mode


async def change_settings(world: World, body: ChangeSettings) -> Controls:
    """Raises `Invalid` for unknown node types, `Outdated` when somebody else changed them since they were read."""
    known = world.engine.nodes.keys()
    faults = [
        Fault(f"$.body.disabled_nodes.{whose}[{index}]", "unknown_type", f"There is no node type '{kind}'.")
        for whose, kinds in body.disabled_nodes.items()
        for index, kind in enumerate(kinds)
        if kind not in known
    ]
    if faults:
        raise Invalid("The settings", faults)

    def change(controls: Controls) -> Controls:
        if controls.revision != body.revision:
            raise Outdated("settings", controls.revision)
        return replace(
            controls, log=body.log, features_off=tuple(body.features_off), disabled_nodes=body.disabled_nodes
        )

    return await world.engine.switchboard.change(change)


async def hold_scope(world: World, scope: Scope, mode: Mode, body: HoldRequest, by: str) -> Controls:
    """Raises `NotFound` for a workflow that is not there."""
    await _check(world, scope)
    made = Hold(mode, body.starts, world.clock.now(), by, body.reason)
    return await hold(world.engine, scope, made)


async def release_scope(world: World, scope: Scope) -> Controls:
    await _check(world, scope)
    return await release(world.engine, scope)


async def maintain(world: World, body: Maintenance, by: str) -> Controls:
    if body.mode == "off":
        return await release(world.engine, Scope())
    return await hold_scope(world, Scope(), body.mode, body, by)


async def _check(world: World, scope: Scope) -> None:
    if scope.workflow:
        await world.engine.workflows.get(scope.workspace, scope.workflow)
