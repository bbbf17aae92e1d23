"""What is told about the installation, and what whoever runs it may set."""

from typing import Literal

from pydantic import Field

from linkflow.runtime.routes import Schema
from linkflow.stores.controls import Feature, Intake, LogLevel, Mode

Status = Literal["ok", "warning", "failing"]


class PartView(Schema):
    """`advice` says what to do when the part is not well; `value` is what was measured, if it is a number."""

    part: str
    status: Status
    latency_ms: float
    value: float | None = None
    advice: str = ""


class HealthView(Schema):
    status: Status
    parts: list[PartView]


class HoldView(Schema):
    mode: Mode
    starts: Intake
    since: str
    by: str
    reason: str


class SettingsView(Schema):
    """`revision` counts changes: send it back with yours. `disabled_nodes` are node types by workspace, `*` for all."""

    revision: int
    changed_at: str | None
    log: LogLevel | None
    features_off: list[Feature]
    disabled_nodes: dict[str, list[str]]


class ChangeSettings(Schema):
    """Everything, as it shall be. `revision` is the one that was read."""

    revision: int = Field(ge=0)
    log: LogLevel | None = None
    features_off: list[Feature] = Field(default_factory=list)
    disabled_nodes: dict[str, list[str]] = Field(default_factory=dict)


class HoldsView(Schema):
    """`workflows` are named `ws_…/wf_…`."""

    engine: HoldView | None
    workspaces: dict[str, HoldView]
    workflows: dict[str, HoldView]


class ClusterView(HealthView):
    """`reaches_all_within` seconds, a change of settings or holds is known to every function that does anything."""

    settings: SettingsView
    holds: HoldsView
    reaches_all_within: float


class HoldRequest(Schema):
    """New starts are accepted and wait, or are refused."""

    starts: Intake = "accept"
    reason: str = Field("", max_length=500)


class Maintenance(HoldRequest):
    mode: Literal["off", "pause", "drain"]
