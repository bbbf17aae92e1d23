"""What stands in `linkflow.db`, and how a file of an earlier release becomes one of this.

`item` is an ordinary table with a unique key rather than WITHOUT ROWID: a body of about 1 KB would spill out of an
index page, and writing it takes twice the CPU. Index entries are columns with partial indexes, so that an item that is
in no index pays for none. Pages of 8 KB measured best for such items.

A message is in `message_ready` while `front` is 1: always on plain queues, and on FIFO queues as the first of its
group. `visible_at` is the moment from which it may be delivered (again); no number is used twice, so that a receipt
(number and count of receives) names one delivery for ever. In fair queues a message has a `rank`, which stands above
those of all earlier messages of its `share`, but begins where the queue now is: so shares take turns.

`facet` holds what an item is found by, one narrow row each, in the order of starts: two hundred thousand of them are
read through in 20 ms, so a filter needs no index of its own to be quick; those that have one are what people open
often, or sort by. `term` holds what only some executions have: tags (`t:`), attributes (`a:` texts and truths, `n:`
numbers), words (`w:`). Rows of both go with their item, whoever deletes it.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from linkflow.adapters.sqlite import facets
from linkflow.adapters.sqlite.draft import draft
from linkflow.errors import Broken
from linkflow.stores import keys
from linkflow.stores.catalogue import facets_of
from linkflow.stores.records import Summary, decode

_TABLES = """
CREATE TABLE item (
  id INTEGER PRIMARY KEY, pk TEXT NOT NULL, sk TEXT NOT NULL, version INTEGER NOT NULL, expires_at REAL,
  listing_pk TEXT, listing_sk TEXT, due_pk TEXT, due_sk TEXT, body BLOB NOT NULL, payload BLOB,
  UNIQUE (pk, sk));
CREATE INDEX item_listing ON item (listing_pk, listing_sk, pk, sk) WHERE listing_pk IS NOT NULL;
CREATE INDEX item_due ON item (due_pk, due_sk, pk, sk) WHERE due_pk IS NOT NULL;
CREATE INDEX item_expires ON item (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE message (
  number INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, line TEXT, visible_at REAL NOT NULL,
  receives INTEGER NOT NULL DEFAULT 0, front INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX message_ready ON message (queue, visible_at, number) WHERE front = 1;
CREATE INDEX message_line ON message (queue, line, number) WHERE line IS NOT NULL;
CREATE TABLE deduplication (queue TEXT, id TEXT, until REAL NOT NULL, PRIMARY KEY (queue, id)) WITHOUT ROWID;
CREATE INDEX deduplication_until ON deduplication (until);
CREATE TABLE blob (name TEXT NOT NULL UNIQUE, content BLOB NOT NULL);
"""

_FACETS = """
CREATE TABLE facet (
  shelf TEXT NOT NULL, started_at REAL NOT NULL, item INTEGER NOT NULL, status TEXT NOT NULL, workflow TEXT NOT NULL,
  version INTEGER NOT NULL, begun_by TEXT NOT NULL, closed_at REAL, duration REAL, pace INTEGER, error TEXT,
  parent TEXT, business_key TEXT, PRIMARY KEY (shelf, started_at, item)) WITHOUT ROWID;
CREATE UNIQUE INDEX facet_item ON facet (item);
CREATE INDEX facet_workflow ON facet (shelf, workflow, started_at, item);
CREATE INDEX facet_open ON facet (shelf, started_at, item) WHERE closed_at IS NULL;
CREATE INDEX facet_closed_at ON facet (shelf, closed_at, item) WHERE closed_at IS NOT NULL;
CREATE INDEX facet_duration ON facet (shelf, duration, item) WHERE duration IS NOT NULL;
CREATE INDEX facet_error ON facet (shelf, error, started_at, item) WHERE error IS NOT NULL;
CREATE INDEX facet_parent ON facet (shelf, parent, started_at, item) WHERE parent IS NOT NULL;
CREATE INDEX facet_business_key ON facet (shelf, business_key, started_at, item) WHERE business_key IS NOT NULL;
CREATE TABLE term (
  shelf TEXT NOT NULL, term TEXT NOT NULL, number REAL NOT NULL, started_at REAL NOT NULL, item INTEGER NOT NULL,
  PRIMARY KEY (shelf, term, number, started_at, item)) WITHOUT ROWID;
CREATE INDEX term_item ON term (item, term, number);
CREATE TRIGGER item_gone AFTER DELETE ON item BEGIN
  DELETE FROM facet WHERE item = old.id; DELETE FROM term WHERE item = old.id; END;
"""


def _first(connection: sqlite3.Connection) -> None:
    _run(connection, _TABLES)


def _with_facets(connection: sqlite3.Connection) -> None:
    """The executions of version 1 are found as all others, but for their parent, which their summaries did not tell."""
    _run(connection, _FACETS)
    cursor = connection.cursor()
    summaries = connection.execute("SELECT id, body FROM item WHERE sk = ?", (keys.SUMMARY,))
    for item, body in summaries:
        facets.insert(cursor, item, facets_of(decode(body, Summary)))


_FAIR_QUEUES = """
ALTER TABLE message ADD COLUMN share TEXT;
ALTER TABLE message ADD COLUMN rank INTEGER NOT NULL DEFAULT 1;
CREATE INDEX message_fair ON message (queue, rank, number) WHERE front = 1;
CREATE INDEX message_share ON message (queue, share, rank) WHERE share IS NOT NULL;
"""


def _with_fair_queues(connection: sqlite3.Connection) -> None:
    _run(connection, _FAIR_QUEUES)


_MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_first, _with_facets, _with_fair_queues)
"""Migration n leads from version n to n + 1."""
VERSION = len(_MIGRATIONS)


def _run(connection: sqlite3.Connection, statements: str) -> None:
    for statement in statements.split(";\n"):
        connection.execute(statement)


def connect(path: str, *, busy_milliseconds: int) -> sqlite3.Connection:
    """A connection that may be handed from thread to thread (never used by two at once) and begins no transaction
    by itself."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    connection.execute(f"PRAGMA busy_timeout = {busy_milliseconds}")
    connection.execute("PRAGMA page_size = 8192")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def create(path: Path) -> None:
    """Make the file with all that stands in it, unless somebody did. It must not be made in its place: of two processes
    that turn one new file to WAL, SQLite fails one at once, whatever its busy timeout (both hold the lock that each
    needs the other to drop)."""
    if not path.exists():
        with draft(path) as name, closing(connect(str(name), busy_milliseconds=0)) as connection:
            prepare(connection)


def prepare(connection: sqlite3.Connection) -> None:
    """Bring the file to this release's version; two processes may do so at once."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        _refuse_newer(found)
        for migration in _MIGRATIONS[found:]:
            migration(connection)
        if found < VERSION:
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _refuse_newer(found: int) -> None:
    if found > VERSION:
        raise Broken(
            f"The database is of version {found}, this release knows up to {VERSION}: start the newer release, "
            "or restore the backup made before it."
        )
