"""Files by bucket and name, as state machines know them from S3: what Maps read their items from and write results to.

A bucket is a name within the workspace. Content lies in the blob store under its digest, so that writing it twice is
writing it once, and whoever reads while somebody writes gets one or the other, whole.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from hashlib import sha256

from linkflow.errors import Broken
from linkflow.ports import Blobs, Item, Table
from linkflow.stores import keys
from linkflow.stores.records import File, decode, encode


@dataclass(frozen=True, slots=True)
class Files:
    table: Table
    blobs: Blobs
    known: set[tuple[str, str]] = field(default_factory=set)
    """Buckets that this process has written down."""

    async def put(self, workspace: str, bucket: str, name: str, content: bytes, now: float) -> File:
        digest = sha256(content).hexdigest()
        file = File(bucket, name, len(content), digest, now, f"{workspace}/files/{digest}")
        await self._know(workspace, bucket)
        await self.blobs.put(file.blob, content)
        await self.table.put(Item(keys.file(workspace, bucket, name), encode(file)))
        return file

    async def _know(self, workspace: str, bucket: str) -> None:
        """Buckets are written down before their first file, so that everything of a workspace can be found."""
        if (workspace, bucket) not in self.known:
            await self.table.put(Item(keys.bucket(workspace, bucket), b""))
            self.known.add((workspace, bucket))

    async def get(self, workspace: str, bucket: str, name: str) -> tuple[File, bytes] | None:
        item = await self.table.get(keys.file(workspace, bucket, name))
        if item is None:
            return None
        file = decode(item.body, File)
        content = await self.blobs.get(file.blob)
        if content is None:
            raise Broken(f"The blob {file.blob} is gone.")
        return file, content

    async def listed(self, workspace: str, bucket: str, prefix: str) -> AsyncIterator[File]:
        where = keys.files(workspace, bucket, prefix)
        while True:
            page = await self.table.query(where)
            for item in page.items:
                yield decode(item.body, File)
            if page.cursor is None:
                return
            where = replace(where, after=page.cursor)
