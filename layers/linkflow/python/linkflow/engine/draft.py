"""The draft of a book: what a visit has decided, of which the book holds all but the last part.

Decided from news, then put as the next turn, at once or with what follows (`unsaved.py`). When somebody else wrote that
turn, the book is read again, and what was told is told again to the state as it is there.
"""

from collections.abc import Sequence

from linkflow.engine.away import Away
from linkflow.engine.engine import Engine
from linkflow.engine.running import Running
from linkflow.engine.unsaved import Unsaved, still_owed
from linkflow.execution.advance import advance, owed, unfinished
from linkflow.execution.commands import RunTask
from linkflow.execution.events import News
from linkflow.language.program import Program
from linkflow.ports import Send
from linkflow.stores.books import Book

LONGEST_DECISION = 0.1
"""Seconds after which a turn is put with what was decided so far: others want to be heard meanwhile."""


class Draft:
    """`tasks` are owed now, of which `begun` are those whose start this visit has recorded; `unsaved` is what the state
    holds and the book does not yet; `running` and `away` see to tasks here and elsewhere."""

    __slots__ = ("away", "begun", "book", "engine", "program", "running", "tasks", "unsaved")

    def __init__(self, engine: Engine, book: Book, program: Program, untrusted: frozenset[str]) -> None:
        self.engine = engine
        self.book = book
        self.program = program
        self.tasks: list[RunTask] = []
        self.begun: set[int] = set()
        self.unsaved = Unsaved(program)
        self.running = Running(engine, book.workspace, book.execution)
        self.away = Away(engine, book.workspace, book.execution, untrusted)

    def decide(self, news: Sequence[News], now: float, *, more: bool = False) -> None:
        """Everything that follows from `news`; `more` of it comes at the same moment."""
        state, unsaved, clock = self.book.state, self.unsaved, self.engine.clock
        unsaved.tell(state, news, self.tasks, now)
        ends = clock.now() + LONGEST_DECISION
        events = advance(self.program, state, news, now, more=more, tired=lambda: clock.now() > ends)
        unsaved.events += events
        self.away.take_back(state, events)
        self.tasks = owed(self.program, state, self.tasks)
        if state.paused is not None:
            self.tasks = [task for task in self.tasks if task.task in self.away.gone or self.running.has(task.task)]

    async def recorded(self, now: float) -> bool:
        """Put what is unsaved as the book's next turn, unless that can wait. False: the turn is another's, and the
        book was loaded again."""
        book = self.book
        away = self.away.due(self.tasks)
        sends = self.away.sends(book.state, away)
        if not self.unsaved.events or self._can_wait(now):
            await self.engine.queue.send(sends) if sends else None
        elif not await self.put(now, sends):
            return False
        elif book.state.response is not None:
            self.engine.closings.tell(book.execution, book.state)
        await self.away.leave(away)
        return True

    async def put(self, now: float, sends: Sequence[Send]) -> bool:
        """False: as `recorded`."""
        if await self.engine.books.append(self.book, self.unsaved.events, now, sends):
            self.unsaved.clear()
            return True
        await self._reload()
        return False

    def _can_wait(self, now: float) -> bool:
        """Whether what is unsaved may stay so while something runs here. (What ends a task from outside may be quicker
        than its request's answer: such a task is in the book first.)"""
        state = self.book.state
        if state.closed or state.paused is not None or unfinished(state) or not self.tasks:
            return False
        if not self.unsaved.may_wait(self.book.number, now):
            return False
        return all(self.is_here(one) and not one.at_most_once and one.pattern == "request" for one in self.tasks)

    async def _reload(self) -> None:
        """Somebody else wrote: what was unsaved follows again from the book, and what was told is told again. (It is
        later now than when that was first decided: what others wrote may be newer.)"""
        self.book = await self.engine.books.load(self.book.workspace, self.book.execution) or self.book
        now = self.engine.clock.now()
        self.tasks = owed(self.program, self.book.state)
        self.away.places.clear()  # (a number may be another task's now)
        self.away.leave_to_others(self.tasks)
        self.begun -= {task.task for task in self.tasks if task.started and not self.running.has(task.task)}
        batches, verdict = self.unsaved.again()
        if verdict is not None and not (self.book.state.admitted or self.book.state.closed):
            self.unsaved.judge(self.book.state, verdict, now)
        for batch in batches:
            self.decide(still_owed(batch, self.tasks), now, more=batch is not batches[-1])

    async def notice(self) -> None:
        """Look whether others (a cancel, a signal) wrote into the book meanwhile."""
        last = await self.engine.books.last_number(self.book.workspace, self.book.execution)
        if last is not None and last > self.book.number:
            await self._reload()

    def is_here(self, task: RunTask) -> bool:
        return self.away.place(task) == "here"
