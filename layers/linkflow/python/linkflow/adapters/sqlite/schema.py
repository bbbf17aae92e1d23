"""What stands in `linkflow.db`, and how a file of an earlier release becomes one of this.

`item` is an ordinary table with a unique key rather than WITHOUT ROWID: a body of about 1 KB would spill out of an
index page, and writing it takes twice the CPU. Index entries are columns with partial indexes, so that an item that is
in no index pays for none. Pages of 8 KB measured best for such items.

A message is in `message_ready` while `front` is 1: always on plain queues, and on FIFO queues as the first of its
group. `visible_at` is the moment from which it may be delivered (again); no number is used twice, so that a receipt
(number and count of receives) names one delivery for ever.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from linkflow.adapters.sqlite.draft import draft
from linkflow.errors import Broken

VERSION = 1

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

_MIGRATIONS = (_TABLES,)
"""Migration n leads from version n to n + 1."""


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
            for statement in migration.split(";"):
                connection.execute(statement)
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
