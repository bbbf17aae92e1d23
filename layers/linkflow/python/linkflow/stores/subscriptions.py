"""Who waits for events: workflows that start with one, and tasks that end with one. One item each, gathered by type."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

import msgspec

from linkflow.language.json import Json
from linkflow.ports import Absent, Item, Put, Table
from linkflow.stores import keys
from linkflow.stores.records import decode, encode


class Subscription(msgspec.Struct, frozen=True, omit_defaults=True):
    """`filter` is JSONata over `event` and what was `seen` when it was made, at the moment `since`. It is of a
    `workflow`'s trigger `node`, or of the task `task` of `scope` in an `execution`."""

    workspace: str
    type: str
    since: float
    filter: str | None = None
    seen: dict[str, Json] = {}
    workflow: str = ""
    node: str = ""
    execution: str = ""
    scope: int = 0
    task: int = 0


@dataclass(frozen=True, slots=True)
class Subscriptions:
    table: Table

    async def add(self, subscription: Subscription, expires_at: float | None = None) -> None:
        """Adding it again changes nothing."""
        await self.table.put(_item(subscription, expires_at), Absent())

    async def remove(self, subscription: Subscription) -> None:
        await self.table.delete(_item(subscription, None).key)

    async def page(
        self, workspace: str, kind: str, limit: int, cursor: str | None = None
    ) -> tuple[Sequence[Subscription], str | None]:
        """So many of those to events of this type, from the cursor on."""
        page = await self.table.query(replace(keys.subscriptions(workspace, kind), limit=limit, after=cursor))
        return [decode(item.body, Subscription) for item in page.items], page.cursor

    async def of(self, workspace: str, kind: str) -> AsyncIterator[Subscription]:
        """Those to events of this type."""
        where = keys.subscriptions(workspace, kind)
        while True:
            page = await self.table.query(where)
            for item in page.items:
                yield decode(item.body, Subscription)
            if page.cursor is None:
                return
            where = replace(where, after=page.cursor)


def of_workflow(subscription: Subscription) -> Put:
    """What is written together with the workflow."""
    return Put(_item(subscription, None))


def _item(subscription: Subscription, expires_at: float | None) -> Item:
    one = subscription
    key = keys.wait_subscription(one.workspace, one.type, one.execution, one.task)
    if one.workflow:
        key = keys.trigger_subscription(one.workspace, one.type, one.workflow, one.node)
    return Item(key, encode(one), expires_at=expires_at)
