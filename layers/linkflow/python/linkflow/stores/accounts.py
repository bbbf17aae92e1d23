"""Who may come in: the owner made at the first start, and API keys, stored by the hash of their text."""

from dataclasses import dataclass
from hashlib import sha256

from linkflow import ids
from linkflow.errors import ConditionFailed
from linkflow.ports import Absent, Clock, Ids, Index, Item, Key, Put, Table
from linkflow.stores import index_keys, keys
from linkflow.stores.records import ApiKey, Owner, decode, encode

_PREFIX = "lf_"


@dataclass(frozen=True, slots=True)
class Accounts:
    table: Table

    async def first_start(self, clock: Clock, names: Ids) -> str | None:
        """Make the owner, a workspace and an API key, once for this store. The key's text, or None if it was done."""
        now = clock.now()
        owner = Owner(names.new(ids.USER), names.new(ids.WORKSPACE), now)
        text, key = _new_key(owner.workspace, owner.user, "first key", now, names)
        try:
            await self.table.transact([Put(Item(keys.installation(), encode(owner)), Absent()), Put(key)])
        except ConditionFailed:
            return None
        return text

    async def owner(self) -> Owner | None:
        item = await self.table.get(keys.installation())
        return decode(item.body, Owner) if item else None

    async def issue(self, workspace: str, user: str, name: str, now: float, names: Ids) -> str:
        """A new API key; its text is given here and never again."""
        text, key = _new_key(workspace, user, name, now, names)
        await self.table.put(key)
        return text

    async def find(self, text: str) -> ApiKey | None:
        """The key with this text. Looked up by hash, so no comparison can be timed."""
        if not text.startswith(_PREFIX):
            return None
        item = await self.table.get(keys.api_key(_digest(text)))
        return decode(item.body, ApiKey) if item else None


def _new_key(workspace: str, user: str, name: str, now: float, names: Ids) -> tuple[str, Item]:
    text = _PREFIX + names.secret()
    key = ApiKey(names.new(ids.API_KEY), workspace, user, name, now)
    listing = Key(index_keys.listed_api_keys(workspace), key.id)
    return text, Item(keys.api_key(_digest(text)), encode(key), indexes={Index.LISTING: listing})


def _digest(text: str) -> str:
    """The text has 256 random bits: a plain hash cannot be searched backwards."""
    return sha256(text.encode()).hexdigest()
