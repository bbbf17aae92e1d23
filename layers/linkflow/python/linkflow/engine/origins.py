"""What never changes in an execution and its children must know: kept by the process, so that a Map dealt to a hundred
children does not read its whole book a hundred times at once (each reading holds all its items)."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from weakref import WeakValueDictionary

from linkflow.execution.events import Names
from linkflow.stores.books import Books
from linkflow.stores.summaries import Summaries

KEPT = 1_000
"""Executions that a process remembers; the least recently asked for goes first."""


@dataclass(frozen=True, slots=True)
class Origin:
    """`depth`: how many executions wait for this one in a row; `errors` as in `ExecutionStarted`.
    `workflow` is the id it has here, whatever the names say."""

    workflow: str
    names: Names
    version: int
    depth: int
    errors: int


class Origins:
    __slots__ = ("_kept", "_reading")

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Origin] = OrderedDict()
        self._reading: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def of(self, books: Books, summaries: Summaries, workspace: str, execution: str) -> Origin | None:
        """None: no such execution. Who asks while somebody reads waits for him."""
        name = f"{workspace}/{execution}"
        lock = self._reading.get(name) or asyncio.Lock()
        self._reading[name] = lock
        async with lock:
            found = self._kept.get(name)
            if found is None:
                found = await _read(books, summaries, workspace, execution)
                if found is None:
                    return None
                self._kept[name] = found
                if len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            else:
                self._kept.move_to_end(name)
            return found


async def _read(books: Books, summaries: Summaries, workspace: str, execution: str) -> Origin | None:
    book, summary = await books.load(workspace, execution), await summaries.get(workspace, execution)
    if book is None or summary is None:
        return None
    state = book.state
    depth = 0 if state.parent is None else state.parent.depth
    return Origin(summary.workflow, state.names, state.version, depth, state.errors)
