"""A visit: one execution driven turn after turn until it must wait, or is over.

    load ──▶ advance ──▶ put turn ──▶ run what is owed ──▶ outcomes are news ──┐
                ▲                                                              │
                └──────────────────────────────────────────────────────────────┘

Sequential tasks cost one conditional put each. Results that arrive while a put is in flight share the next one. The
first turn needs no put before its tasks run: it follows from the opening alone, so whoever takes over derives it again.
How long other turns may wait is the workflow's choice (`unsaved.py`).

Crash rules. What is in the book happened; what is not, is derived again from it, with the same idempotency keys. A
visit that finds its turn written by somebody else (a cancel, another visit) loads the book and goes on from there;
tasks that nobody awaits any more are cancelled.
"""

from collections.abc import Sequence

from linkflow.engine import approvals, children, resets
from linkflow.engine.admission import Asking, ask, must_ask
from linkflow.engine.away import Away
from linkflow.engine.endings import finish
from linkflow.engine.engine import Engine
from linkflow.engine.holds import news_of_hold
from linkflow.engine.parting import part
from linkflow.engine.platform.notices import tell_started, tell_waiting
from linkflow.engine.running import Running
from linkflow.engine.unsaved import Unsaved, still_owed
from linkflow.engine.wakes import ring
from linkflow.execution.advance import advance, next_moment, owed, unfinished
from linkflow.execution.commands import RunTask
from linkflow.execution.events import ExecutionQueued, HandedOver, News, TaskStarted, VisitResumed
from linkflow.execution.evolve import evolve
from linkflow.execution.state import State
from linkflow.language.program import Program
from linkflow.ports import Send
from linkflow.stores.books import Book


async def visit(
    engine: Engine,
    workspace: str,
    execution: str,
    *,
    resumed: bool = False,
    in_order: bool = False,
    budget: float | None = None,
) -> State | None:
    """Drive the execution as far as it goes; its state afterwards, or None if there is no such execution.

    `resumed` says that an earlier visit did not come to its end; `in_order` that no process died of it (a store did not
    answer, the host was asked to stop), so that its tasks are not to blame. `budget`: whoever started the execution
    drives it, for so many seconds (`engine/synchronous.py`); all others leave it alone for that time. Raises what the
    ports raise; the caller's message then comes again."""
    book = await engine.books.load(workspace, execution)
    if book is None:
        return None
    state = book.state
    if state.held_until is not None and budget is None and not state.closed:
        if (now := engine.clock.now()) < state.held_until:
            await engine.queue.send([ring(workspace, execution, state.held_until, now)])
            return state
        resumed = True
    await resets.settle(engine, workspace, state)
    if state.parent is not None and await children.turned_away(engine, book, state.parent):
        book = await engine.books.load(workspace, execution) or book
        state = book.state
    program = await engine.programs.get(workspace, state.names.workflow_id, state.version, state.program)
    driven = _Visit(engine, book, program, await engine.rules.untrusted(workspace), budget or engine.limits.visit)
    try:
        return await driven.run(resumed=resumed, in_order=in_order)
    finally:
        driven.running.abandon()


class _Visit:
    """`tasks` are owed now; `unsaved` is what the state holds and the book does not yet; `away` sees to tasks that run
    elsewhere; `let_go` counts the orphaned child executions that were seen to, `withdrawn` the tasks that ask nobody
    any more."""

    __slots__ = (
        "away",
        "begun",
        "book",
        "ends",
        "engine",
        "let_go",
        "program",
        "running",
        "tasks",
        "unsaved",
        "withdrawn",
    )

    def __init__(
        self, engine: Engine, book: Book, program: Program, untrusted: frozenset[str], limit: float | None
    ) -> None:
        self.engine = engine
        self.book = book
        self.program = program
        self.tasks: list[RunTask] = []
        self.begun: set[int] = set()
        self.unsaved = Unsaved(program)
        self.running = Running(engine, book.workspace, book.execution)
        self.away = Away(engine, book.workspace, book.execution, untrusted)
        seen = not book.state.closed  # (who ends an execution from outside leaves what follows to a visit)
        self.let_go, self.withdrawn = (len(book.state.orphans), len(book.state.unasked)) if seen else (0, 0)
        self.ends = None if limit is None else engine.clock.now() + limit

    async def run(self, *, resumed: bool, in_order: bool) -> State:
        news: list[News] = []
        if resumed and self.book.number == 0:
            self._begin_again(self.engine.clock.now())
        renewed, paused = self.book.state.renewed, self.book.state.paused is not None
        tasks = owed(self.program, self.book.state)
        here = [] if paused else [task for task in tasks if self._is_here(task)]
        killed = resumed and not in_order
        interrupted = [task.task for task in here if _died(task, killed=killed)]
        if resumed:
            self.let_go, self.withdrawn = 0, 0
        if interrupted:
            news.append(VisitResumed(tuple(interrupted)))
        if renewed and not (resumed or paused) and (unsent := self.away.unsent(tasks)):
            news.append(VisitResumed(unsent))  # (so that the next visit does not send them a third time)
        self.away.assume(tasks, resumed=resumed or renewed)
        if self.book.state.fresh:
            await tell_started(self.engine, self.book.workspace, self.program, self.book.state)
        while await self._turn(news):
            news = await self.running.news(self._next_look())
            if not news:
                await self._notice()
        return self.book.state

    def _begin_again(self, now: float) -> None:
        """What the visit before ran follows from the opening, and is in no book yet: so that it can be told of."""
        if not must_ask(self.program, self.book.state, (), now):
            self._advance((), now)

    async def _turn(self, news: list[News]) -> bool:
        """One turn: decide, record, obey. False: the visit is over."""
        now = self.engine.clock.now()
        news = [*await news_of_hold(self.engine, self.book.workspace, self.book.state), *news]
        if not await self._may_begin(news, now):
            return False
        self._advance(news, now)
        while not await self._recorded(now):
            if not await self._may_begin(news, now):
                return False
        tasks, state = self.tasks, self.book.state
        if state.closed:
            self.running.abandon()  # (none begins a child behind the back of those who end them)
            await finish(self.engine, self.program, self.book)
            await self._let_go()
            await self.away.keep(())
            return False
        await self._let_go()
        await self.away.keep(tasks)
        if state.paused is not None and not state.renewed:
            unsent = self.away.unsent(owed(self.program, state))
            if unsent:  # (the visit that was to send them died: whoever goes on sees to it)
                return await self._turn([VisitResumed(unsent)])
        if self.book.state.held_until is not None and any(task.at_most_once for task in tasks):
            await self._leave(now, goes_on=True)
            return False
        first = [TaskStarted(task.scope, task.task, now) for task in tasks if self._starts_once(task)]
        self.begun.update(one.task for one in first)
        lost = tuple(task.task for task in tasks if self._is_anothers(task))
        first_news: list[News] = [*self.away.take_refused(), *([VisitResumed(lost)] if lost else []), *first]
        if first_news:
            return await self._turn(first_news)
        self.running.obey([task for task in tasks if task.task not in self.away.gone], now)
        return await self._goes_on(now)

    async def _may_begin(self, news: list[News], now: float) -> bool:
        """False: it has to wait for its turn among others, and the visit is over."""
        if not must_ask(self.program, self.book.state, news, now) or await self._let_in(now):
            return True
        state = self.book.state
        moments = [one for one in (state.queued_until, next_moment(state)) if one is not None]
        await self._leave(now, min(moments, default=None))
        return False

    async def _let_in(self, now: float) -> bool:
        """Ask for a slot. False: the execution has to wait."""
        state = self.book.state
        if state.queued_until is not None and now < state.queued_until:
            return False
        verdict = await ask(self.engine, self.program, Asking(self.book.workspace, self.book.execution, state))
        if verdict == ExecutionQueued(state.queued or "") and not self.unsaved.events:
            return False
        self.unsaved.judge(state, verdict, now)
        if not isinstance(verdict, ExecutionQueued):
            return True
        if not await self._put(now, ()):
            return await self._let_in(now) if must_ask(self.program, self.book.state, (), now) else True
        return False

    def _advance(self, news: Sequence[News], now: float, *, more: bool = False) -> None:
        state, unsaved = self.book.state, self.unsaved
        unsaved.tell(state, news, self.tasks, now)
        events = advance(self.program, state, news, now, more=more)
        unsaved.events += events
        self.away.take_back(state, events)
        self.tasks = owed(self.program, state, self.tasks)
        if state.paused is not None:
            self.tasks = [task for task in self.tasks if task.task in self.away.gone or self.running.has(task.task)]

    async def _recorded(self, now: float) -> bool:
        """Put what is unsaved as the book's next turn, unless that can wait. False: the turn is another's, and the
        book was loaded again."""
        book = self.book
        away = self.away.due(self.tasks)
        sends = self.away.sends(away)
        if not self.unsaved.events or self._can_wait(now):
            await self.engine.queue.send(sends) if sends else None
        elif not await self._put(now, sends):
            return False
        elif book.state.response is not None:
            self.engine.closings.tell(book.execution, book.state)
        await self.away.leave(away)
        return True

    async def _put(self, now: float, sends: Sequence[Send]) -> bool:
        if await self.engine.books.append(self.book, self.unsaved.events, now, sends):
            self.unsaved.clear()
            return True
        await self._reload(now)
        return False

    def _can_wait(self, now: float) -> bool:
        """Whether what is unsaved may stay so while something runs here. (What ends a task from outside may be quicker
        than its request's answer: such a task is in the book first.)"""
        state = self.book.state
        if state.closed or state.paused is not None or unfinished(state) or not self.tasks:
            return False
        if not self.unsaved.may_wait(self.book.number, now):
            return False
        return all(self._is_here(one) and not one.at_most_once and one.pattern == "request" for one in self.tasks)

    async def _let_go(self) -> None:
        """End the child executions that nobody waits for any more, and withdraw what need not be decided any more. A
        visit that takes over does it again for all."""
        orphans, unasked = self.book.state.orphans, self.book.state.unasked
        if len(orphans) > self.let_go:
            await children.end(self.engine, self.book.workspace, self.book.execution, orphans[self.let_go :])
            self.let_go = len(orphans)
        if len(unasked) > self.withdrawn:
            await approvals.withdraw(self.engine, self.book.workspace, self.book.execution, unasked[self.withdrawn :])
            self.withdrawn = len(unasked)

    async def _reload(self, now: float) -> None:
        """Somebody else wrote: what was unsaved follows again from the book, and what was told is told again."""
        self.book = await self.engine.books.load(self.book.workspace, self.book.execution) or self.book
        self.tasks = owed(self.program, self.book.state)
        self.away.places.clear()  # (a number may be another task's now)
        self.begun -= {task.task for task in self.tasks if task.started and not self.running.has(task.task)}
        batches, verdict = self.unsaved.again()
        if verdict is not None and not (self.book.state.admitted or self.book.state.closed):
            self.unsaved.judge(self.book.state, verdict, now)
        for batch in batches:
            self._advance(still_owed(batch, self.tasks), now, more=batch is not batches[-1])

    async def _notice(self) -> None:
        """Look whether others (a cancel, a signal) wrote into the book meanwhile."""
        last = await self.engine.books.last_number(self.book.workspace, self.book.execution)
        if last is not None and last > self.book.number:
            await self._reload(self.engine.clock.now())

    def _is_here(self, task: RunTask) -> bool:
        return self.away.place(task) == "here"

    def _starts_once(self, task: RunTask) -> bool:
        """Whether its start must be recorded before it begins; of a remote one it is when it is leased."""
        return task.at_most_once and not task.started and task.pattern != "activity"

    def _is_anothers(self, task: RunTask) -> bool:
        """Whether it must run at most once, and another visit has begun it: there it may still run, here it never may.
        Nobody can tell whether that visit lives, so it is given up."""
        once = task.at_most_once and task.started and task.pattern != "activity"
        return once and task.task not in self.begun and self._is_here(task)

    def _next_look(self) -> float:
        """The moment by which the clock or the book must be looked at: now, if there is more to decide."""
        soonest = self.engine.clock.now() + (0.0 if unfinished(self.book.state) else self.engine.limits.notice)
        moments = (soonest, self.ends, next_moment(self.book.state), self.unsaved.until())
        return min(moment for moment in moments if moment is not None)

    async def _goes_on(self, now: float) -> bool:
        """Whether there is anything to stay for. If not, whoever comes next has been seen to."""
        moment = next_moment(self.book.state)
        if self.ends is not None and now >= self.ends:
            await self._leave(now, goes_on=True)
            return False
        soon = moment is not None and moment - now <= self.engine.limits.linger
        if soon or self.running.any or unfinished(self.book.state):
            return True
        await tell_waiting(self.engine, self.book.workspace, self.program, self.book.state)
        await self._leave(now, moment)
        return False

    async def _leave(self, now: float, moment: float | None = None, *, goes_on: bool = False) -> None:
        """Put what is unsaved, and see to it that somebody comes again. One who holds the execution says that the lane
        may drive it from here on."""
        while not self.book.state.closed:
            if self.book.state.held_until is not None:
                self.unsaved.events.append(HandedOver())
                evolve(self.book.state, self.unsaved.events[-1], now)
            if not self.unsaved.events or await self._put(now, ()):
                break
            goes_on = True
        await part(self.engine, self.book, moment, goes_on=goes_on)


def _died(task: RunTask, *, killed: bool) -> bool:
    """Whether the visit before may have ended in the middle of it. What runs at most once has begun when the book says
    so, and then nobody knows; of all else the process `killed` is counted."""
    return task.started if task.at_most_once else killed
