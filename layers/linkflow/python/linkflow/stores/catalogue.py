"""The Catalogue port on nothing but a table: reads the listing index and keeps what fits.

For stores whose indexes cost money for every entry. A request reads a bounded number of summaries and then answers with
what it found, be it nothing, and a cursor that goes on. What a caller named himself (a business key, a tag, an
attribute that equals something) is found by pointers, items of their own that only such executions pay for; a pointer
is written before its execution, and one that leads nowhere is passed over.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

from linkflow.errors import Fault, Invalid
from linkflow.ports import Index, Item, Key, Table
from linkflow.search import Cell, Cells, Facets, Found, Query, Value, cursor_of, fits, position_of
from linkflow.stores import index_keys
from linkflow.stores.records import Summary, decode

READ_AT_MOST = 4_000
"""Summaries that one request for a page reads: about a megabyte."""
SORTED_AT_MOST = 20_000
"""Summaries that are read to be sorted or counted."""
_PAGE = 500
_POINTED = 100
"""Pointers that are followed at the same time."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A summary as it stands in the index: `sk` is its place there."""

    sk: str
    body: bytes
    facets: Facets


@dataclass(frozen=True, slots=True)
class ScanningCatalogue:
    table: Table
    read_at_most: int = READ_AT_MOST
    sorted_at_most: int = SORTED_AT_MOST

    async def announce(self, facets: Facets) -> None:
        for key in _pointers(facets):
            await self.table.put(Item(key, b""))

    async def forget(self, facets: Facets) -> None:
        for key in _pointers(facets):
            await self.table.delete(key)

    async def search(self, query: Query, limit: int, cursor: str | None = None) -> Found:
        if query.sort != "started_at":
            return await self._sorted(query, limit, cursor)
        kept: list[bytes] = []
        read, last = 0, None
        async for page in self._pages(query, _after(query, cursor), limit + 1):
            for one in page:
                if len(kept) == limit or (read >= self.read_at_most and last is not None):
                    return Found(kept, cursor_of(query, last or ""))
                read, last = read + 1, one.sk
                if fits(query, one.facets):
                    kept.append(one.body)
        return Found(kept)

    async def count(self, query: Query, bucket: float | None = None, cursor: str | None = None) -> Cells:
        counted: Counter[tuple[str, float, str, int | None]] = Counter()
        read, last = 0, None
        async for page in self._pages(query, _after(query, cursor), _PAGE):
            for one in page:
                if read == self.sorted_at_most:
                    return Cells(_cells(counted), cursor_of(query, last or ""))
                read, last = read + 1, one.sk
                if fits(query, one.facets):
                    counted[_cell(one.facets, bucket)] += 1
        return Cells(_cells(counted))

    async def _sorted(self, query: Query, limit: int, cursor: str | None) -> Found:
        """Reads all that may fit, and sorts it; every page again. Raises `Invalid` when that is too much."""
        found: list[tuple[float, str, bytes]] = []
        read = 0
        async for page in self._pages(query, None, _PAGE):
            read += len(page)
            if read > self.sorted_at_most:
                raise _too_many(query, self.sorted_at_most)
            found += [(_at(query, one.facets), one.sk, one.body) for one in page if fits(query, one.facets)]
        found.sort(key=lambda one: one[:2], reverse=query.descending)
        if cursor is not None:
            position = position_of(query, cursor)
            place = (float(position.at), str(position.tie))
            found = [one for one in found if (one[:2] < place if query.descending else one[:2] > place)]
        more = len(found) > limit
        return Found([body for *_, body in found[:limit]], cursor_of(query, *found[limit - 1][:2]) if more else None)

    async def _pages(self, query: Query, after: str | None, first: int) -> AsyncIterator[Sequence[_Seen]]:
        """What started within the query's bounds, in its order, from behind `after` on; `first` is how many to begin
        with."""
        workspace = index_keys.workspace_of(query.shelf)
        term = next(_named(query), None)
        partition = query.shelf if term is None else index_keys.pointers(workspace, term)
        where = index_keys.listed_between(partition, query.started.first, query.started.last)
        where = replace(where, reverse=query.descending, limit=min(first, _PAGE))
        if after is not None:
            where = replace(where, last=after) if query.descending else replace(where, first=after)
        if term is None:
            where = replace(where, index=Index.LISTING)
        while True:
            page = await self.table.query(where)
            if term is None:
                seen = [_Seen(one.indexes[Index.LISTING].sk, one.body, read_facets(one.body)) for one in page.items]
            else:
                seen = await self._followed(workspace, [one.key.sk for one in page.items])
            yield [one for one in seen if one.sk != after]
            if page.cursor is None:
                return
            where = replace(where, after=page.cursor, limit=_PAGE if term is None else _POINTED)

    async def _followed(self, workspace: str, places: Sequence[str]) -> list[_Seen]:
        """A start that died before its execution was written, and was repeated later, left a pointer to another
        moment."""
        items = await asyncio.gather(*(self.table.get(index_keys.pointed_at(workspace, sk)) for sk in places))
        seen = [
            _Seen(sk, item.body, read_facets(item.body))
            for sk, item in zip(places, items, strict=True)
            if item is not None
        ]
        return [one for one in seen if one.sk == index_keys.listed_execution(one.facets.started_at, one.facets.id)]


def shelf_of(summary: Summary) -> str:
    """Archived executions are searched apart from the others."""
    shelf = index_keys.listed_executions if summary.archived is None else index_keys.archived_executions
    return shelf(summary.workspace)


def facets_of(summary: Summary) -> Facets:
    return Facets(
        shelf_of(summary),
        summary.execution,
        summary.workflow,
        summary.version,
        summary.trigger,
        summary.status,
        summary.started_at,
        summary.closed_at,
        summary.error,
        summary.parent,
        summary.name,
        summary.business_key,
        summary.tags,
        summary.attributes,
    )


def read_facets(body: bytes) -> Facets:
    return facets_of(decode(body, Summary))


def cell_of(facets: Facets, bucket: float | None) -> Cell:
    """The cell that counts this one alone."""
    return Cell(*_cell(facets, bucket), 1)


def _after(query: Query, cursor: str | None) -> str | None:
    return None if cursor is None else str(position_of(query, cursor).at)


def _pointers(facets: Facets) -> Iterator[Key]:
    workspace = index_keys.workspace_of(facets.shelf)
    place = index_keys.listed_execution(facets.started_at, facets.id)
    if facets.business_key:
        yield Key(index_keys.pointers(workspace, _term("key", facets.business_key)), place)
    for tag in facets.tags:
        yield Key(index_keys.pointers(workspace, _term("tag", tag)), place)
    for name, value in facets.attributes.items():
        yield Key(index_keys.pointers(workspace, _attribute(name, value)), place)


def _named(query: Query) -> Iterator[str]:
    """The terms that the query names and pointers know, the narrowest (as a rule) first."""
    if query.business_key:
        yield _term("key", query.business_key)
    for wish in query.attributes:
        if wish.equals is not None:
            yield _attribute(wish.name, wish.equals)
    for tag in query.tags:
        yield _term("tag", tag)


def _attribute(name: str, value: Value) -> str:
    kind = {bool: "truth", str: "text"}.get(type(value), "number")
    return _term("attribute", name, kind, str(value if isinstance(value, bool | str) else float(value)))


def _term(*parts: str) -> str:
    """A key of fixed length, whatever the caller wrote."""
    return blake2b("\0".join(parts).encode(), digest_size=12).hexdigest()


def _at(query: Query, facets: Facets) -> float:
    return facets.sorts_at(query.sort) or 0.0


def _cell(facets: Facets, bucket: float | None) -> tuple[str, float, str, int | None]:
    if bucket is None:
        return "", 0.0, facets.status, None
    at = facets.started_at // bucket * bucket
    return facets.workflow, at, facets.status, facets.pace


def _cells(counted: Counter[tuple[str, float, str, int | None]]) -> list[Cell]:
    return [Cell(*cell, count) for cell, count in counted.items()]


def _too_many(query: Query, limit: int) -> Invalid:
    message = (
        f"Over {limit:,} executions would have to be read to sort them by {query.sort}; "
        "narrow started_from and started_to, or sort by started_at."
    )
    return Invalid("The request", [Fault("$.query.sort", "too_many_to_sort", message)])
