"""The installation's controls as callers see them."""

from functions.control_plane.schemas import ClusterView, HoldsView, HoldView, PartView, SettingsView, Status
from linkflow.engine.switchboard import FRESH
from linkflow.runtime.views import time_view
from linkflow.stores.controls import Controls, Hold


def settings_view(controls: Controls) -> SettingsView:
    return SettingsView(
        revision=controls.revision,
        changed_at=time_view(controls.changed_at) if controls.revision else None,
        log=controls.log,
        features_off=list(controls.features_off),
        disabled_nodes={whose: list(kinds) for whose, kinds in controls.disabled_nodes.items()},
    )


def holds_view(controls: Controls) -> HoldsView:
    return HoldsView(
        engine=hold_view(controls.engine) if controls.engine else None,
        workspaces={name: hold_view(hold) for name, hold in controls.workspaces.items()},
        workflows={name: hold_view(hold) for name, hold in controls.workflows.items()},
    )


def hold_view(hold: Hold) -> HoldView:
    return HoldView(mode=hold.mode, starts=hold.starts, since=time_view(hold.since), by=hold.by, reason=hold.reason)


def cluster_view(parts: list[PartView], controls: Controls) -> ClusterView:
    return ClusterView(
        status=worst(parts),
        parts=parts,
        settings=settings_view(controls),
        holds=holds_view(controls),
        reaches_all_within=FRESH,
    )


def worst(parts: list[PartView]) -> Status:
    found = {part.status for part in parts}
    return "failing" if "failing" in found else "warning" if "warning" in found else "ok"
