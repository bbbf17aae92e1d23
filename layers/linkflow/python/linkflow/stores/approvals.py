"""Approvals: one item each, found by its id, listed by workspace and status.

A vote is written on the condition that nobody else wrote one since the item was read, so that each person counts once
and of several who decide at the same moment none is lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from linkflow.errors import NotFound
from linkflow.language.json import Json
from linkflow.ports import Absent, Index, Item, Key, Range, Table, Unchanged
from linkflow.stores import index_keys, keys
from linkflow.stores.records import decode, encode

Verdict = Literal["approved", "rejected"]
ApprovalStatus = Literal["pending", "approved", "rejected", "expired", "withdrawn"]


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one person said, at the moment `at`."""

    by: str
    decision: Verdict
    at: float
    comment: str = ""
    data: Json = None


class Approval(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is asked for the task `task` of `scope`. `started_by`: who may not decide unless `allow_self`."""

    workspace: str
    id: str
    execution: str
    workflow: str
    node: str
    scope: int
    task: int
    title: str
    created_at: float
    message: str = ""
    assignees: tuple[str, ...] = ()
    required: int = 1
    allow_self: bool = False
    started_by: str = ""
    form: dict[str, Any] | None = None
    expires_at: float | None = None
    status: ApprovalStatus = "pending"
    decisions: tuple[Decision, ...] = ()

    @property
    def decided(self) -> bool:
        return self.status in ("approved", "rejected")

    def as_of(self, now: float) -> ApprovalStatus:
        """The status, even if nobody has written down yet that the time is over."""
        late = self.status == "pending" and self.expires_at is not None and self.expires_at <= now
        return "expired" if late else self.status


@dataclass(frozen=True, slots=True)
class Found:
    approval: Approval
    version: int


@dataclass(frozen=True, slots=True)
class Approvals:
    table: Table

    async def open(self, approval: Approval) -> Approval:
        """Ask, unless that was done before: the approval that stands there."""
        found = await self.table.put(_item(approval, 1), Absent())
        return approval if found is None else decode(found.body, Approval)

    async def find(self, workspace: str, identifier: str) -> Found:
        """Raises `NotFound`."""
        item = await self.table.get(keys.approval(workspace, identifier))
        if item is None:
            raise NotFound("approval", identifier)
        return Found(decode(item.body, Approval), item.version)

    async def replace(self, found: Found, approval: Approval) -> bool:
        """False: somebody else changed it since it was found."""
        return await self.table.put(_item(approval, found.version + 1), Unchanged(found.version)) is None

    async def listed(
        self, workspace: str, status: ApprovalStatus, limit: int, cursor: str | None
    ) -> tuple[Sequence[Approval], str | None]:
        """Newest first."""
        where = Range(
            index_keys.listed_approvals(workspace, status), index=Index.LISTING, reverse=True, limit=limit, after=cursor
        )
        page = await self.table.query(where)
        return [decode(item.body, Approval) for item in page.items], page.cursor


def _item(approval: Approval, version: int) -> Item:
    where = Key(
        index_keys.listed_approvals(approval.workspace, approval.status),
        index_keys.listed_approval(approval.created_at, approval.id),
    )
    key = keys.approval(approval.workspace, approval.id)
    return Item(key, encode(approval), version=version, indexes={Index.LISTING: where})
