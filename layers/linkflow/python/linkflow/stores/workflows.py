"""Workflows and their versions. A version is written once; the workflow item says which one is current."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from dataclasses import replace as further

from msgspec.structs import replace

from linkflow import ids
from linkflow.errors import Conflict, NotFound
from linkflow.ports import Absent, Index, Item, Key, Put, Range, Table, Unchanged
from linkflow.stores import index_keys, keys
from linkflow.stores.records import HookTarget, Workflow, WorkflowVersion, decode, encode


@dataclass(frozen=True, slots=True)
class Workflows:
    table: Table

    async def create(
        self,
        workflow: Workflow,
        version: WorkflowVersion,
        hooks: Sequence[tuple[str, HookTarget]],
        also: Sequence[Put] = (),
    ) -> None:
        """The workflow, its first version, its webhooks (by token) and what belongs to it `also`, all or nothing; and
        before them that their workspace has workflows."""
        await self.table.put(Item(keys.inhabited(workflow.workspace), b""))
        targets = [Put(Item(keys.webhook(token), encode(target)), Absent()) for token, target in hooks]
        first = Item(keys.version(workflow.workspace, workflow.id, version.number), b"", encode(version))
        await self.table.transact([Put(_item(workflow), Absent()), Put(first, Absent()), *targets, *also])

    async def workspaces(self) -> AsyncIterator[str]:
        """Those that have workflows, or had some."""
        where = keys.beside(keys.inhabited(""))
        while True:
            page = await self.table.query(where)
            for item in page.items:
                yield item.key.sk
            if page.cursor is None:
                return
            where = further(where, after=page.cursor)

    async def get(self, workspace: str, identifier: str) -> Workflow:
        """Raises `NotFound`."""
        item = await self.table.get(keys.workflow(workspace, identifier))
        if item is None:
            raise NotFound("workflow", identifier)
        return decode(item.body, Workflow)

    async def named(self, workspace: str, name: str) -> Workflow:
        """By id, or by a name that only one has. Raises `NotFound`, and `Conflict` where several have the name."""
        if name.startswith(f"{ids.WORKFLOW}_"):
            return await self.get(workspace, name)
        page = await self.table.query(index_keys.workflows_named(workspace, name))
        found = [one for item in page.items if (one := decode(item.body, Workflow)).name == name]
        if not found:
            raise NotFound("workflow", name)
        if len(found) > 1:
            raise Conflict(f"Several workflows are named '{name}'; use the id of the one you mean.")
        return found[0]

    async def version(self, workspace: str, identifier: str, number: int) -> WorkflowVersion:
        """Raises `NotFound`."""
        item = await self.table.get(keys.version(workspace, identifier, number))
        if item is None or item.payload is None:
            raise NotFound("version", f"{identifier} v{number}")
        return decode(item.payload, WorkflowVersion)

    async def current(self, workflow: Workflow) -> WorkflowVersion:
        return await self.version(workflow.workspace, workflow.id, workflow.version)

    async def listed(self, workspace: str, limit: int, cursor: str | None) -> tuple[Sequence[Workflow], str | None]:
        """By name."""
        page = await self.table.query(
            Range(index_keys.listed_workflows(workspace), index=Index.LISTING, limit=limit, after=cursor)
        )
        return [decode(item.body, Workflow) for item in page.items], page.cursor

    async def hook(self, token: str) -> HookTarget:
        """Where a webhook's token leads. Raises `NotFound`."""
        item = await self.table.get(keys.webhook(token))
        if item is None:
            raise NotFound("webhook", token[:6] + "…")
        return decode(item.body, HookTarget)

    async def change_hook(self, token: str, change: Callable[[HookTarget], HookTarget]) -> HookTarget:
        """Raises `NotFound`. Who changes it at the same time is not overwritten: `change` sees what it did."""
        item = await self.table.get(keys.webhook(token))
        while item is not None:
            target = change(decode(item.body, HookTarget))
            changed = replace(item, body=encode(target), version=item.version + 1)
            item = await self.table.put(changed, Unchanged(item.version))
            if item is None:
                return target
        raise NotFound("webhook", token[:6] + "…")


def _item(workflow: Workflow) -> Item:
    listing = Key(
        index_keys.listed_workflows(workflow.workspace), index_keys.listed_workflow(workflow.name, workflow.id)
    )
    return Item(keys.workflow(workflow.workspace, workflow.id), encode(workflow), indexes={Index.LISTING: listing})
