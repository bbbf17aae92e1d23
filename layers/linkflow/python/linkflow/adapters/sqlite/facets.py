"""What items are found by, as rows: written in the transaction of the item they belong to, by its row's number.

What the caller gave at the start never changes; so an execution that closes is another row only in a few columns, and a
statement that names no others leaves all other indexes alone.
"""

import sqlite3
from collections.abc import Iterator

from linkflow.ports import Key
from linkflow.search import Attribute, Facets

_COLUMNS = (
    "shelf, started_at, status, workflow, version, begun_by, closed_at, duration, pace, error, parent, business_key, "
    "item"
)
_INSERT = f"INSERT INTO facet ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 (constants)
_NUMBER = "SELECT id FROM item WHERE pk = ? AND sk = ?"
_CLOSE = (
    "UPDATE facet SET status = ?, closed_at = ?, duration = ?, pace = ? "  # noqa: S608 (constants)
    f"WHERE item = ({_NUMBER}) AND shelf = ? AND error IS ?"
)
_UPDATE = (
    "UPDATE facet SET shelf = ?, started_at = ?, status = ?, workflow = ?, version = ?, begun_by = ?, closed_at = ?, "
    "duration = ?, pace = ?, error = ?, parent = ?, business_key = ? WHERE item = ?"
)
_INSERT_TERM = "INSERT OR IGNORE INTO term (shelf, term, number, started_at, item) VALUES (?, ?, ?, ?, ?)"
_TERMS_FOLLOW = "SELECT shelf, error FROM facet WHERE item = ?"
_DELETE_TERMS = "DELETE FROM term WHERE item = ?"


def insert(cursor: sqlite3.Cursor, item: int | None, facets: Facets) -> None:
    """Of an item that has none yet."""
    cursor.execute(_INSERT, _row(item, facets))
    _insert_terms(cursor, item, facets)


def replace(cursor: sqlite3.Cursor, key: Key, facets: Facets) -> None:
    """Of an item that may have some. Its terms change only with the shelf or the error."""
    ended = (facets.status, facets.closed_at, facets.duration, facets.pace)
    cursor.execute(_CLOSE, (*ended, key.pk, key.sk, facets.shelf, facets.error))
    if cursor.rowcount:
        return
    (item,) = cursor.execute(_NUMBER, (key.pk, key.sk)).fetchone()
    before = cursor.execute(_TERMS_FOLLOW, (item,)).fetchone()
    if before is None:
        insert(cursor, item, facets)
        return
    cursor.execute(_UPDATE, _row(item, facets))
    if before != (facets.shelf, facets.error):
        cursor.execute(_DELETE_TERMS, (item,))
        _insert_terms(cursor, item, facets)


def tag(name: str) -> str:
    return f"t:{name}"


def word(text: str) -> str:
    return f"w:{text}"


def attribute(name: str, value: str | float | bool) -> tuple[str, float]:
    """The term, and its number: two attributes of one name and different types are different terms."""
    match value:
        case bool():
            return f"a:{name}\0b", float(value)
        case str():
            return f"a:{name}\0s{value}", 0.0
        case _:
            return f"n:{name}", float(value)


def wish(wanted: Attribute) -> tuple[str, float | None, float | None]:
    """The term to look for, and the bounds of its number."""
    if wanted.equals is None:
        return attribute(wanted.name, 0.0)[0], wanted.span.first, wanted.span.last
    term, number = attribute(wanted.name, wanted.equals)
    return term, number, number


def _row(item: int | None, one: Facets) -> tuple[object, ...]:
    return (
        one.shelf,
        one.started_at,
        one.status,
        one.workflow,
        one.version,
        one.trigger,
        one.closed_at,
        one.duration,
        one.pace,
        one.error,
        one.parent or None,
        one.business_key or None,
        item,
    )


def _insert_terms(cursor: sqlite3.Cursor, item: int | None, one: Facets) -> None:
    for term, number in _terms(one):
        cursor.execute(_INSERT_TERM, (one.shelf, term, number, one.started_at, item))


def _terms(one: Facets) -> Iterator[tuple[str, float]]:
    for name in one.tags:
        yield tag(name), 0.0
    for name, value in one.attributes.items():
        yield attribute(name, value)
    if one.name or one.business_key or one.error:
        for text in one.words:
            yield word(text), 0.0
