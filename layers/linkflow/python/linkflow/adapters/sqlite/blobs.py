"""Large values in the same file: one backup holds everything, and a server needs no second disk."""

from linkflow.adapters.sqlite.store import Store

_PUT = "INSERT INTO blob (name, content) VALUES (?, ?) ON CONFLICT DO NOTHING"
_DELETE = "DELETE FROM blob WHERE name = ?"
_GET = "SELECT content FROM blob WHERE name = ?"


class SqliteBlobs:
    """A name that is written again keeps its content, which is the same by the port's contract."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, name: str, content: bytes) -> None:
        await self._store.write(self._put, name, content)

    async def get(self, name: str) -> bytes | None:
        rows = self._store.read(_GET, (name,))
        return rows[0][0] if rows else None

    async def delete(self, name: str) -> None:
        await self._store.write(self._delete, name)

    def _put(self, name: str, content: bytes) -> None:
        self._store.cursor.execute(_PUT, (name, content))

    def _delete(self, name: str) -> None:
        self._store.cursor.execute(_DELETE, (name,))
