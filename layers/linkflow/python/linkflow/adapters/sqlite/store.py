"""The one file behind table, queue and blobs: a connection that writes, one that reads, and commits that are shared.

A verb (`SqliteTable._put`, `SqliteQueue._claim`, …) is a plain function that runs its statements on `cursor` inside a
transaction somebody else opened. `write` lines it up; all verbs that arrived by the loop's next turn, or while an
earlier commit was under way, run one after the other in one `BEGIN IMMEDIATE … COMMIT`, and their callers go on
together once it is on the disk. A verb that refuses (a condition does not hold) says so before its first statement that
writes, so the others do not notice. If one breaks, the batch is rolled back and repeated with a savepoint each.

The statements run in the event loop's thread. A writer thread was measured and dropped: SQLite lets go of the
interpreter lock at every statement, and beside a busy loop each of them waits up to 5 ms to get it back (a put took
1.1 s, here 1.6 ms). Only the COMMIT can go to a thread, where the disk is slow: `open` tries a few and decides. Reads
take microseconds and run at once, on their own connection, which never waits for a writer. Searches may take long
(`find`): they have a thread and a connection of their own; SQLite lets go of the interpreter lock while it looks.

Kept in memory (no path) there is one connection and no batch: every verb is carried out when it is called.
"""

import asyncio
import contextlib
import sqlite3
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple
from weakref import finalize

from linkflow.adapters.sqlite.schema import connect, create, prepare
from linkflow.errors import LinkFlowError, Unreachable

FILE = "linkflow.db"
SLOW_COMMIT = 0.003
"""Seconds; a disk that takes longer to commit does so beside the event loop."""
BUSY_FOR = 30.0
"""Seconds another process may hold the file before writes give up. Ours look again every millisecond."""

Row = tuple[Any, ...]
_Outcome = TypeVar("_Outcome")
_Arguments = TypeVarTuple("_Arguments")
_Job = tuple[Callable[..., Any], tuple[Any, ...], "asyncio.Future[Any]"]


class Store:
    """Made by `open`; used by one event loop."""

    def __init__(
        self,
        writer: sqlite3.Connection,
        reader: sqlite3.Connection,
        finder: sqlite3.Connection | None = None,
        *,
        commit_beside: bool,
    ) -> None:
        self.cursor = writer.cursor()
        self.in_memory = reader is writer
        self.sent: set[str] = set()
        """Queues in which a verb of this batch may have made something receivable."""
        self.on_sent: Callable[[set[str]], None] = lambda _queues: None
        self._writer = writer
        self._reader = reader
        self._finder = finder
        self._finding = None if finder is None else ThreadPoolExecutor(1, "linkflow-find")
        self._jobs: list[_Job] = []
        self._due = False
        self._busy_since: float | None = None
        self._committing: asyncio.Future[None] | None = None
        self._beside = ThreadPoolExecutor(1, "linkflow-commit") if commit_beside else None

    @classmethod
    def open(cls, directory: Path | None, *, commit_beside: bool | None = None) -> "Store":
        """The store in `directory` (made if need be), or one in memory. `commit_beside` overrules the choice by
        measurement. Raises `Broken` for a file of a newer release."""
        if directory is None:
            memory = connect(":memory:", busy_milliseconds=0)
            prepare(memory)
            store = cls(memory, memory, commit_beside=False)
            finalize(store, memory.close)  # (nothing of it is to be finished, so nobody need close it)
            return store
        create(directory / FILE)
        path = str(directory / FILE)
        writer = connect(path, busy_milliseconds=int(BUSY_FOR * 1000))
        try:
            prepare(writer)
            slow = commit_seconds(writer) > SLOW_COMMIT if commit_beside is None else commit_beside
            writer.execute("PRAGMA busy_timeout = 0")
        except BaseException:
            writer.close()
            raise
        reader, finder = (connect(path, busy_milliseconds=5000) for _ in range(2))
        return cls(writer, reader, finder, commit_beside=slow)

    async def close(self) -> None:
        """Finish what was begun (it is all on the disk once an empty verb is), and let go of the file."""
        try:
            await self.write(lambda: None)
        finally:
            if self._beside is not None:
                self._beside.shutdown()
            if self._finding is not None and self._finder is not None:
                self._finding.shutdown()
                self._finder.close()
            self.cursor.close()
            self._reader.close()
            self._writer.close()

    def read(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Rows as of the last finished write."""
        return self._reader.execute(statement, parameters).fetchall()

    async def find(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        """As `read`, for statements that may look at much; nobody waits meanwhile but the caller."""
        if self._finder is None:
            return self.read(statement, parameters)
        finder = self._finder
        return await asyncio.get_running_loop().run_in_executor(
            self._finding, lambda: finder.execute(statement, parameters).fetchall()
        )

    async def write(self, verb: Callable[[*_Arguments], _Outcome], *arguments: *_Arguments) -> _Outcome:
        """Carry out `verb` and return its outcome once it is durable. Raises what the verb raises, and
        `Unreachable` when the file cannot be written; then nothing of it is."""
        loop = asyncio.get_running_loop()
        job: asyncio.Future[_Outcome] = loop.create_future()
        self._jobs.append((verb, arguments, job))
        if self.in_memory:
            self._commit_together()
            return job.result()
        if not self._due and self._committing is None:
            self._due = True
            loop.call_soon(self._commit_together)
        return await job

    def _commit_together(self) -> None:
        self._due = False
        if not self._begun():
            return
        jobs, self._jobs = self._jobs, []
        try:
            outcomes = self._carry_out(jobs)
            if self._beside is not None:
                self._commit_in_thread(self._beside, jobs, outcomes)
                return
            self.cursor.execute("COMMIT")
        except sqlite3.Error as error:
            self._fail(jobs, error)
        else:
            self._settle(jobs, outcomes)

    def _begun(self) -> bool:
        """Whether the transaction is open. When another process holds the file, look again in a millisecond."""
        try:
            self.cursor.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            now = time.monotonic()
            self._busy_since = self._busy_since or now
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY and now - self._busy_since < BUSY_FOR:
                self._due = True
                asyncio.get_running_loop().call_later(0.001, self._commit_together)
            else:
                self._busy_since = None
                jobs, self._jobs = self._jobs, []
                self._fail(jobs, error)
            return False
        self._busy_since = None
        return True

    def _carry_out(self, jobs: list[_Job]) -> list[object]:
        outcomes: list[object] = []
        try:
            for verb, arguments, _ in jobs:
                try:
                    outcomes.append(verb(*arguments))
                except LinkFlowError as refusal:
                    outcomes.append(_Raised(refusal))
        except Exception:  # noqa: BLE001 (whoever is guilty is told, once it is known who)
            self._roll_back()
            return self._carry_out_apart(jobs)
        return outcomes

    def _carry_out_apart(self, jobs: list[_Job]) -> list[object]:
        self.cursor.execute("BEGIN IMMEDIATE")
        outcomes: list[object] = []
        for verb, arguments, _ in jobs:
            self.cursor.execute("SAVEPOINT verb")
            try:
                outcomes.append(verb(*arguments))
            except Exception as error:  # noqa: BLE001 (told to the caller of the verb)
                self.cursor.execute("ROLLBACK TO verb")
                outcomes.append(_Raised(error))
            self.cursor.execute("RELEASE verb")
        return outcomes

    def _commit_in_thread(self, thread: ThreadPoolExecutor, jobs: list[_Job], outcomes: list[object]) -> None:
        def committed(commit: asyncio.Future[None]) -> None:
            self._committing = None
            error = commit.exception()
            if isinstance(error, sqlite3.Error):
                self._fail(jobs, error)
            else:
                self._settle(jobs, outcomes)
            if self._jobs:
                self._commit_together()

        loop = asyncio.get_running_loop()
        self._committing = loop.run_in_executor(thread, self._commit)
        self._committing.add_done_callback(committed)

    def _commit(self) -> None:
        self._writer.execute("COMMIT")

    def _settle(self, jobs: list[_Job], outcomes: list[object]) -> None:
        for (_, _, job), outcome in zip(jobs, outcomes, strict=True):
            if job.done():
                continue
            if isinstance(outcome, _Raised):
                job.set_exception(outcome.error)
            else:
                job.set_result(outcome)
        if self.sent:
            sent, self.sent = self.sent, set()
            self.on_sent(sent)

    def _fail(self, jobs: list[_Job], error: sqlite3.Error) -> None:
        self._roll_back()
        for _, _, job in jobs:
            if not job.done():
                failure = Unreachable("The database file")
                failure.__cause__ = error
                job.set_exception(failure)

    def _roll_back(self) -> None:
        self.sent.clear()
        if self._writer.in_transaction:
            with contextlib.suppress(sqlite3.Error):  # (the disk may be gone; what was not committed is not there)
                self.cursor.execute("ROLLBACK")


class _Raised:
    """A verb's outcome when it raised."""

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error


def commit_seconds(connection: sqlite3.Connection) -> float:
    """What a small commit takes on this disk (median of five)."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    taken = []
    for _ in range(5):
        start = time.perf_counter()
        connection.execute(f"PRAGMA user_version = {version}")
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)
