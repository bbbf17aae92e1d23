"""The installation's controls: one item, read by every process now and then, written by whoever runs the installation.

It holds what must reach all functions without a deployment: who is held, which node types and features are switched
off, how much is logged. It is small on purpose, since every process reads all of it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from linkflow.ports import Absent, Item, Send, Table, Unchanged
from linkflow.stores import keys
from linkflow.stores.records import decode, encode

Mode = Literal["pause", "drain"]
Intake = Literal["accept", "refuse"]
Feature = Literal["schedules", "webhooks"]
LogLevel = Literal["debug", "info", "warning", "error"]
EVERYWHERE: Final = "*"
"""Stands for every workspace."""
MOST_HOLDS: Final = 1_000
"""Workspaces and workflows that may be held one by one; more of them is a reason to hold the engine."""


class Hold(msgspec.Struct, frozen=True, omit_defaults=True):
    """`pause`: executions stop at their next turn. `drain`: those that began before `since` run to their end. New
    starts are accepted, and held, or refused."""

    mode: Mode
    starts: Intake = "accept"
    since: float = 0.0
    by: str = ""
    reason: str = ""


class Controls(msgspec.Struct, frozen=True, omit_defaults=True):
    """`workflows` are named `ws_…/wf_…`; `disabled_nodes` are node types by workspace, or `*`."""

    revision: int = 0
    changed_at: float = 0.0
    engine: Hold | None = None
    workspaces: Mapping[str, Hold] = {}
    workflows: Mapping[str, Hold] = {}
    disabled_nodes: Mapping[str, Sequence[str]] = {}
    features_off: Sequence[Feature] = ()
    log: LogLevel | None = None

    def holds(self, workspace: str, workflow: str) -> Iterator[tuple[str, Hold]]:
        """Those that this workflow stands under, and what is held by each."""
        if self.engine is not None:
            yield "engine", self.engine
        if workspace in self.workspaces:
            yield "workspace", self.workspaces[workspace]
        if f"{workspace}/{workflow}" in self.workflows:
            yield "workflow", self.workflows[f"{workspace}/{workflow}"]

    def node_disabled(self, workspace: str, kind: str) -> bool:
        disabled = self.disabled_nodes
        return kind in disabled.get(workspace, ()) or kind in disabled.get(EVERYWHERE, ())


@dataclass(frozen=True, slots=True)
class ControlStore:
    table: Table

    async def get(self) -> Controls:
        item = await self.table.get(keys.controls())
        return decode(item.body, Controls) if item else Controls()

    async def change(self, change: Callable[[Controls], Controls], now: float, sends: Sequence[Send] = ()) -> Controls:
        """What they are from now on; `change` may be asked again, if somebody else was quicker."""
        while True:
            item = await self.table.get(keys.controls())
            before = decode(item.body, Controls) if item else Controls()
            after = replace(change(before), revision=before.revision + 1, changed_at=now)
            new = Item(keys.controls(), encode(after), version=after.revision)
            condition = Unchanged(item.version) if item else Absent()
            if await self.table.put(new, condition, sends) is None:
                return after
