"""Being the first: an item that is put only where none stands, or only one whose time is over."""

from msgspec.structs import replace

from linkflow.errors import ConditionFailed
from linkflow.ports import Absent, Condition, Item, Table, Unchanged


async def claim(table: Table, item: Item, now: float) -> Item | None:
    """None: `item` stands there now. Otherwise the one that was there first. What has expired counts as absent, since
    stores remove it some time later, or never."""
    when: Condition = Absent()
    while True:
        try:
            found = await table.put(item, when)
        except ConditionFailed:  # what had expired was removed just now
            when = Absent()
            continue
        if found is None or found.expires_at is None or found.expires_at > now:
            return found
        item, when = replace(item, version=found.version + 1), Unchanged(found.version)
