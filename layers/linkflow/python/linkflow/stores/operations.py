"""Operations: what somebody asked to be done to many things at once, and how far it came."""

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from linkflow.errors import NotFound
from linkflow.ports import Absent, Item, Table, Unchanged
from linkflow.search import Query
from linkflow.stores import keys
from linkflow.stores.records import decode, encode

KEPT_FOR = 90 * 86_400.0
"""Seconds that an operation can be looked at after it was last touched."""
EXAMPLES = 10
"""Failures that are told of."""

Action = Literal["cancel", "terminate", "retry", "redrive", "delete_workspace"]
Progress = Literal["running", "done", "cancelled", "failed"]


class Trouble(msgspec.Struct, frozen=True):
    """Why something was not done to this execution."""

    execution: str
    message: str


class Operation(msgspec.Struct, frozen=True, omit_defaults=True):
    """`seen` were looked at: `done`, `skipped` (it was so already, or over), or `failed`. `cursor` is where it goes on,
    `stage` what it is busy with. `query` says to which executions; None: to everything."""

    id: str
    workspace: str
    action: Action
    by: str
    created_at: float
    query: Query | None = None
    reason: str = ""
    status: Progress = "running"
    stage: str = ""
    cursor: str | None = None
    done: int = 0
    skipped: int = 0
    failed: int = 0
    troubles: tuple[Trouble, ...] = ()
    finished_at: float | None = None

    @property
    def seen(self) -> int:
        return self.done + self.skipped + self.failed


class Operations:
    __slots__ = ("_table",)

    def __init__(self, table: Table) -> None:
        self._table = table

    async def open(self, operation: Operation) -> Operation:
        """Put it there, or get what stands there under its id."""
        found = await self._table.put(_item(operation, 1, operation.created_at), Absent())
        return operation if found is None else decode(found.body, Operation)

    async def get(self, workspace: str, identifier: str) -> Operation:
        """Raises `NotFound`."""
        item = await self._table.get(keys.operation(workspace, identifier))
        if item is None:
            raise NotFound("operation", identifier)
        return decode(item.body, Operation)

    async def listed(self, workspace: str, limit: int, cursor: str | None) -> tuple[Sequence[Operation], str | None]:
        """Newest first."""
        page = await self._table.query(keys.newest_first(keys.operation(workspace, ""), limit, cursor))
        return [decode(item.body, Operation) for item in page.items], page.cursor

    async def change(
        self, workspace: str, identifier: str, change: Callable[[Operation], Operation], now: float
    ) -> Operation:
        """Raises `NotFound`, and what `change` raises, which sees what others made of it meanwhile."""
        item = await self._table.get(keys.operation(workspace, identifier))
        while item is not None:
            operation = change(decode(item.body, Operation))
            item = await self._table.put(_item(operation, item.version + 1, now), Unchanged(item.version))
            if item is None:
                return operation
        raise NotFound("operation", identifier)


def finished(operation: Operation, status: Progress, now: float) -> Operation:
    """The first end counts."""
    return operation if operation.status != "running" else replace(operation, status=status, finished_at=now)


def _item(operation: Operation, version: int, now: float) -> Item:
    key = keys.operation(operation.workspace, operation.id)
    return Item(key, encode(operation), version=version, expires_at=now + KEPT_FOR)
