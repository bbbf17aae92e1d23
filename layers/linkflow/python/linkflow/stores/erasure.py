"""Taking away what a workspace holds, piece by piece: each verb takes a bounded number and says how many it took.

What leads to a thing goes last (the summary behind the turns, the workflow behind its versions and addresses), so that
whoever goes on after a death still finds the rest.
"""

from dataclasses import dataclass, replace

import msgspec

from linkflow.nodes.event import EventTrigger
from linkflow.ports import Blobs, Index, Item, Range, Table
from linkflow.search import Catalogue
from linkflow.stores import index_keys, keys
from linkflow.stores.archive import Batch
from linkflow.stores.books import Books
from linkflow.stores.catalogue import facets_of
from linkflow.stores.records import File, Summary, Workflow, WorkflowVersion, decode


@dataclass(frozen=True, slots=True)
class Erasure:
    table: Table
    blobs: Blobs
    books: Books
    catalogue: Catalogue

    async def execution(self, workspace: str, execution: str) -> None:
        """Its book, what of it lies in the blob store, and its summary; of an archived one the archive's blob stays. It
        must be over for good: a visit that still writes would leave a turn behind."""
        where = keys.book(workspace, execution, backwards=True, limit=100)
        while True:
            page = await self.table.query(where)
            for item in page.items:
                for name in self.books.spilled(item):
                    await self.blobs.delete(name)
                await self.table.delete(item.key)
                if item.key.sk == keys.SUMMARY:
                    await self.catalogue.forget(facets_of(decode(item.body, Summary)))
            if page.cursor is None:
                return
            where = replace(where, after=page.cursor)

    async def workflows(self, workspace: str, limit: int) -> int:
        listing = Range(index_keys.listed_workflows(workspace), index=Index.LISTING, limit=limit)
        found = (await self.table.query(listing)).items
        for item in found:
            workflow = decode(item.body, Workflow)
            for hook in workflow.hooks:
                await self.table.delete(keys.webhook(hook.token))
            await self._all(keys.beside(keys.claim(workspace, workflow.id, "")))
            versions = [one for one in await self._whole(workspace, workflow.id) if one.key != item.key]
            for one in versions:
                await self._subscriptions(workflow, one)
            for one in [*versions, item]:
                await self.table.delete(one.key)
        if not found:
            await self.table.delete(keys.inhabited(workspace))
        return len(found)

    async def _subscriptions(self, workflow: Workflow, version: Item) -> None:
        """Those of a version's trigger nodes."""
        document = msgspec.json.decode(decode(version.payload or b"", WorkflowVersion).definition)
        for node in document.get("nodes", ()):
            kind = node.get("config", {}).get("type")
            if node["type"] == EventTrigger.type and isinstance(kind, str):
                await self.table.delete(keys.trigger_subscription(workflow.workspace, kind, workflow.id, node["id"]))

    async def archive(self, workspace: str, limit: int) -> int:
        """Batches with their blobs, and in the end how long things were to be kept."""
        found = (await self.table.query(keys.batches(workspace, limit, newest_first=False))).items
        for item in found:
            blob = decode(item.body, Batch).blob
            if blob:
                await self.blobs.delete(blob)
            await self.table.delete(item.key)
        if not found:
            await self.table.delete(keys.retention(workspace))
        return len(found)

    async def settings(self, workspace: str, limit: int) -> int:
        """What people were asked, and what the workspace says of hosts, queues and the like."""
        rules = Range(keys.rules(workspace), limit=limit)
        return await self._some(keys.beside(keys.approval(workspace, ""))) + await self._some(rules)

    async def files(self, workspace: str, limit: int) -> int:
        """Of one bucket, or the empty bucket itself."""
        for bucket in (await self.table.query(keys.beside(keys.bucket(workspace, "")))).items:
            where = replace(keys.files(workspace, bucket.key.sk, ""), limit=limit)
            found = (await self.table.query(where)).items
            for item in found:
                await self.blobs.delete(decode(item.body, File).blob)
                await self.table.delete(item.key)
            if not found:
                await self.table.delete(bucket.key)
            return max(1, len(found))
        return 0

    async def operations(self, workspace: str, but: str, limit: int) -> int:
        found = [
            item
            for item in (await self.table.query(keys.beside(keys.operation(workspace, ""), limit + 1))).items
            if item.key.sk != but
        ]
        for item in found:
            await self.table.delete(item.key)
        return len(found)

    async def api_keys(self, workspace: str) -> int:
        return await self._some(Range(index_keys.listed_api_keys(workspace), index=Index.LISTING, limit=100))

    async def _whole(self, workspace: str, workflow: str) -> list[Item]:
        items: list[Item] = []
        where = keys.beside(keys.workflow(workspace, workflow))
        while True:
            page = await self.table.query(where)
            items += page.items
            if page.cursor is None:
                return items
            where = replace(where, after=page.cursor)

    async def _all(self, where: Range) -> None:
        while await self._some(where):
            continue

    async def _some(self, where: Range) -> int:
        found = (await self.table.query(where)).items
        for item in found:
            await self.table.delete(item.key)
        return len(found)
