"""What a workspace says of hosts, credentials, task queues and node types: one small item each."""

from dataclasses import dataclass

import msgspec

from linkflow.ports import Item, Range, Table
from linkflow.stores import keys
from linkflow.stores.records import decode, encode


class Rule(msgspec.Struct, frozen=True, omit_defaults=True):
    """`name` is `host:api.example.com`, `credential:…`, `queue:…` or `type:…`. `at_once` bounds calls (or leases) under
    way, `limit` those begun in `per_seconds`; a node type may be `isolated`."""

    name: str
    at_once: int | None = None
    limit: int | None = None
    per_seconds: float = 1.0
    isolated: bool = False


@dataclass(frozen=True, slots=True)
class RuleItems:
    table: Table

    async def put(self, workspace: str, rule: Rule) -> None:
        await self.table.put(Item(keys.rule(workspace, rule.name), encode(rule)))

    async def delete(self, workspace: str, name: str) -> None:
        await self.table.delete(keys.rule(workspace, name))

    async def all(self, workspace: str) -> list[Rule]:
        page = await self.table.query(Range(keys.rules(workspace), limit=MOST))
        return [decode(item.body, Rule) for item in page.items]


MOST = 200
"""Rules a workspace may have."""
