"""The Catalogue port on the tables `facet` and `term`: exact, and as of the last write.

A search picks its own way, since SQLite would guess. First it looks at the next `TRIED` rows in the order wanted: what
fits many fills its page there. What fits few goes by the narrowest index that the query names something in, if fewer
than `NARROW` rows stand there (counting that far takes a fraction of a millisecond), and else through all facets of the
shelf. Every column outside the chosen way is written `+x`, so that no other index tempts. Statements run beside the
event loop: one that reads through everything holds nobody up.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from linkflow.adapters.sqlite import facets
from linkflow.adapters.sqlite.store import Row, Store
from linkflow.search import PART, Cell, Cells, Facets, Found, Position, Query, Sort, Span, cursor_of, position_of

NARROW = 20_000
TRIED = 3_000
_ALL = "FROM facet f WHERE f.shelf = ?"
_BY_TERM = (
    "FROM term t CROSS JOIN facet f ON f.shelf = t.shelf AND f.started_at = t.started_at AND f.item = t.item "
    "WHERE t.shelf = ? AND t.term = ?"
)
_HAS_TERM = "EXISTS (SELECT 1 FROM term WHERE term.item = f.item AND term.term = ? AND {number})"
_LAST = "\U0010ffff" * 4
"""Sorts behind whatever may follow a prefix."""


_Term = tuple[str, float | None, float | None]
"""What must be in `term`, and between which numbers."""


@dataclass(slots=True)
class _Clause:
    """SQL and what its question marks stand for."""

    sql: str
    given: list[object] = field(default_factory=list)

    def add(self, sql: str, *given: object) -> None:
        self.sql += f" AND {sql}"
        self.given += given

    def bound(self, column: str, span: Span) -> None:
        if span.first is not None:
            self.add(f"{column} >= ?", span.first)
        if span.last is not None:
            self.add(f"{column} <= ?", span.last)


@dataclass(frozen=True, slots=True)
class _Way:
    """Where the rows come from. `order` is the sort whose order they have there by themselves."""

    source: _Clause
    order: Sort | None = None
    term: _Term | None = None


class SqliteCatalogue:
    def __init__(self, store: Store, narrow: int = NARROW, tried: int = TRIED) -> None:
        self._store = store
        self._narrow = narrow
        self._tried = tried

    async def announce(self, facets: Facets) -> None:
        """Facets are written with their item."""

    async def forget(self, facets: Facets) -> None:
        """And deleted with it."""

    async def search(self, query: Query, limit: int, cursor: str | None = None) -> Found:
        behind = None if cursor is None else position_of(query, cursor)
        rows = await self._rows(query, _first_stretch(query, behind, self._tried), behind, limit)
        if len(rows) <= limit:
            rows = await self._rows(query, await self._way(query), behind, limit)
        more = len(rows) > limit
        return Found([row[0] for row in rows[:limit]], cursor_of(query, *rows[limit - 1][1:]) if more else None)

    async def _rows(self, query: Query, way: _Way, behind: Position | None, limit: int) -> list[Row]:
        """Bodies with their places, one more than asked for if there is one."""
        column = f"f.{query.sort}" if way.order == query.sort else f"+f.{query.sort}"
        wanted = _conditions(query, way)
        _go_on(wanted, query, column, behind)
        direction = _direction(query)
        inner = (
            f"SELECT f.item AS item, f.{query.sort} AS at {way.source.sql}{wanted.sql} "
            f"ORDER BY {column} {direction}, f.item {direction} LIMIT ?"
        )
        statement = (
            f"SELECT i.body, x.at, x.item FROM ({inner}) x CROSS JOIN item i ON i.id = x.item "  # noqa: S608 (our words)
            f"ORDER BY x.at {direction}, x.item {direction}"
        )
        return await self._store.find(statement, (*way.source.given, *wanted.given, limit + 1))

    async def count(self, query: Query, bucket: float | None = None, cursor: str | None = None) -> Cells:
        """Always whole."""
        if cursor is not None:
            position_of(query, cursor)
        way = await self._way(query)
        wanted = _conditions(query, way)
        columns = "'', 0.0, f.status, NULL"
        if bucket is not None:
            columns = f"f.workflow, CAST(f.started_at / {bucket:f} AS INTEGER) * {bucket:f}, f.status, f.pace"
        statement = f"SELECT {columns}, count(*) {way.source.sql}{wanted.sql} GROUP BY 1, 2, 3, 4"
        rows = await self._store.find(statement, (*way.source.given, *wanted.given))
        return Cells([Cell(*row) for row in rows])

    async def _way(self, query: Query) -> _Way:
        """The narrowest way there is, or through everything."""
        best, fewest = None, self._narrow
        for way in _narrow_ways(query):
            inner = f"SELECT 1 {way.source.sql} LIMIT {fewest}"
            ((found,),) = await self._store.find(f"SELECT count(*) FROM ({inner})", way.source.given)  # noqa: S608 (same)
            if found < fewest or (best is None and way.term is not None):
                best, fewest = way, found
        if best is not None:
            return best
        source = _Clause(_ALL, [query.shelf])
        source.bound("f.started_at", query.started)
        return _Way(source, "started_at")


def _first_stretch(query: Query, behind: Position | None, most: int) -> _Way:
    """The next `most` of all, in the order wanted, whether they fit or not."""
    span = {"started_at": query.started, "closed_at": query.closed, "duration": query.duration}[query.sort]
    index = "" if query.sort == "started_at" else f"INDEXED BY facet_{query.sort} "
    source = _Clause(f"FROM (SELECT * FROM facet f {index}WHERE f.shelf = ?", [query.shelf])  # noqa: S608 (same)
    source.add(f"f.{query.sort} IS NOT NULL")
    source.bound(f"f.{query.sort}", span)
    _go_on(source, query, f"f.{query.sort}", behind)
    direction = _direction(query)
    source.sql += f" ORDER BY f.{query.sort} {direction}, f.item {direction} LIMIT {most}) f WHERE 1"
    return _Way(source)


def _go_on(clause: _Clause, query: Query, column: str, behind: Position | None) -> None:
    if behind is not None:
        clause.add(f"({column}, f.item) {'<' if query.descending else '>'} (?, ?)", behind.at, behind.tie)


def _direction(query: Query) -> str:
    return "DESC" if query.descending else "ASC"


def _narrow_ways(query: Query) -> Iterator[_Way]:
    """By what the query names; each is worth counting."""
    for column, value in (("parent", query.parent), ("error", query.error), ("workflow", query.workflow)):
        if value is not None:
            source = _Clause(f"FROM facet f INDEXED BY facet_{column} WHERE f.shelf = ?", [query.shelf])
            source.add(f"f.{column} = ?", value)
            source.bound("f.started_at", query.started)
            yield _Way(source, "started_at")
    if query.business_key or query.business_prefix:
        source = _Clause("FROM facet f INDEXED BY facet_business_key WHERE f.shelf = ?", [query.shelf])
        key = query.business_key or query.business_prefix or ""
        source.add("f.business_key >= ?", key)
        source.add("f.business_key <= ?", key if query.business_key else key + _LAST)
        yield _Way(source)
    for column, span in (("closed_at", query.closed), ("duration", query.duration)):
        if span.bounded:
            source = _Clause(f"FROM facet f INDEXED BY facet_{column} WHERE f.shelf = ?", [query.shelf])
            source.add(f"f.{column} IS NOT NULL")
            source.bound(f"f.{column}", span)
            yield _Way(source)
    if query.statuses == ("running",):
        source = _Clause("FROM facet f INDEXED BY facet_open WHERE f.shelf = ?", [query.shelf])
        source.add("f.closed_at IS NULL")
        source.bound("f.started_at", query.started)
        yield _Way(source, "started_at")
    for term in _terms(query):
        name, first, last = term
        source = _Clause(_BY_TERM, [query.shelf, name])
        source.bound("t.number", Span(first, last))
        yield _Way(source, "started_at" if first == last and first is not None else None, term)


def _conditions(query: Query, way: _Way) -> _Clause:
    """Everything the query asks for, whether the way has seen to it or not."""
    wanted = _Clause("")
    wanted.bound("+f.started_at", query.started)
    wanted.bound("+f.closed_at", query.closed)
    wanted.bound("+f.duration", query.duration)
    for column in ("workflow", "version", "error", "parent"):
        if (value := getattr(query, column)) is not None:
            wanted.add(f"+f.{column} = ?", value)
    if query.trigger is not None:
        wanted.add("+f.begun_by = ?", query.trigger)
    if query.hides_parts:
        wanted.add("+f.begun_by <> ?", PART)
    if query.statuses:
        wanted.add(f"+f.status IN ({', '.join('?' * len(query.statuses))})", *query.statuses)
    if query.sort != "started_at":
        wanted.add("+f.closed_at IS NOT NULL")
    if query.business_key is not None:
        wanted.add("ifnull(f.business_key, '') = ?", query.business_key)
    if query.business_prefix is not None:
        wanted.add("substr(ifnull(f.business_key, ''), 1, ?) = ?", len(query.business_prefix), query.business_prefix)
    for term in _terms(query):
        if term != way.term:
            name, first, last = term
            number = _Clause("1")
            number.bound("term.number", Span(first, last))
            wanted.add(_HAS_TERM.format(number=number.sql), name, *number.given)
    return wanted


def _terms(query: Query) -> Iterator[_Term]:
    for name in query.tags:
        yield facets.tag(name), 0.0, 0.0
    for wanted in query.attributes:
        yield facets.wish(wanted)
    for text in query.words:
        yield facets.word(text), 0.0, 0.0
