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

from linkflow.engine import approvals, children
from linkflow.engine.admission import Asking, ask, must_ask
from linkflow.engine.cancel import settle
from linkflow.engine.draft import Draft
from linkflow.engine.endings import finish
from linkflow.engine.engine import Engine
from linkflow.engine.holds import news_of_hold
from linkflow.engine.parting import part
from linkflow.engine.platform.notices import tell_started, tell_waiting
from linkflow.engine.wakes import ring
from linkflow.execution.advance import next_moment, owed, unfinished
from linkflow.execution.commands import RunTask
from linkflow.execution.events import ExecutionQueued, HandedOver, News, TaskStarted, VisitResumed
from linkflow.execution.evolve import evolve
from linkflow.execution.state import State
from linkflow.language.program import Program
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
    await settle(engine, workspace, execution, state.reset_of)
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
    """`let_go` counts the orphaned child executions that were seen to, `withdrawn` the tasks that ask nobody any more;
    `ends` is when the visit must be over. `again`: one before it did not come to its end."""

    __slots__ = ("again", "away", "draft", "ends", "engine", "let_go", "program", "running", "withdrawn")

    def __init__(
        self, engine: Engine, book: Book, program: Program, untrusted: frozenset[str], limit: float | None
    ) -> None:
        self.engine = engine
        self.program = program
        self.draft = Draft(engine, book, program, untrusted)
        self.running, self.away = self.draft.running, self.draft.away
        seen = not book.state.closed  # (who ends an execution from outside leaves what follows to a visit)
        self.let_go, self.withdrawn = (len(book.state.orphans), len(book.state.unasked)) if seen else (0, 0)
        self.ends = None if limit is None else engine.clock.now() + limit
        self.again = False

    @property
    def state(self) -> State:
        return self.draft.book.state

    async def run(self, *, resumed: bool, in_order: bool) -> State:
        if self.state.fresh:
            await tell_started(self.engine, self.draft.book.workspace, self.program, self.state)
        self.again, killed = resumed, resumed and not in_order
        held = killed and bool(await news_of_hold(self.engine, self.draft.book.workspace, self.state))
        news = self._takes_over(resumed=resumed, killed=killed, held=held)
        while await self._turn(news):
            news = await self.running.news(self._next_look())
            if not news:
                await self.draft.notice()
        return self.state

    def _takes_over(self, *, resumed: bool, killed: bool, held: bool) -> list[News]:
        """What is to be told of the visit before: which tasks it may have been interrupted in, or had not sent."""
        draft, now = self.draft, self.engine.clock.now()
        if resumed:
            self.let_go, self.withdrawn = 0, 0
        if killed and draft.book.number == 0 and not (held or must_ask(self.program, self.state, (), now)):
            draft.decide((), now)  # (what it ran follows from the opening, and is in no book yet)
        renewed, paused = self.state.renewed, self.state.paused is not None
        tasks = owed(self.program, self.state)
        here = [] if paused else [task for task in tasks if draft.is_here(task)]
        interrupted = tuple(task.task for task in here if _died(task, killed=killed))
        unsent = self.away.unsent(tasks) if renewed and not (resumed or paused) else ()
        self.away.assume(tasks, resumed=resumed or renewed)
        # Of what was not sent it is told too, so that the next visit does not send it a third time.
        return [VisitResumed(lost) for lost in (interrupted, unsent) if lost]

    async def _turn(self, news: list[News]) -> bool:
        """One turn: decide, record, obey. False: the visit is over."""
        now = self.engine.clock.now()
        draft = self.draft
        news = [*await news_of_hold(self.engine, draft.book.workspace, self.state), *news]
        if not await self._may_begin(news, now):
            return False
        draft.decide(news, now)
        while not await draft.recorded(now):
            now = self.engine.clock.now()
            if not await self._may_begin(news, now):
                return False
        tasks, state = draft.tasks, self.state
        if state.closed:
            self.running.abandon()  # (none begins a child behind the back of those who end them)
            await finish(self.engine, self.program, draft.book, again=self.again)
        await self._let_go()
        await self.away.keep(() if state.closed else tasks)
        if state.closed:
            return False
        if state.paused is not None and not state.renewed:
            unsent = self.away.unsent(owed(self.program, state))
            if unsent:  # (the visit that was to send them died: whoever goes on sees to it)
                return await self._turn([VisitResumed(unsent)])
        if state.held_until is not None and any(task.at_most_once for task in tasks):
            return await self._parts(now, goes_on=True)
        first = [TaskStarted(task.scope, task.task, now) for task in tasks if self._starts_once(task)]
        draft.begun.update(one.task for one in first)
        lost = tuple(task.task for task in tasks if self._is_anothers(task))
        first_news: list[News] = [*self.away.take_refused(), *([VisitResumed(lost)] if lost else []), *first]
        if first_news:
            return await self._turn(first_news)
        self.running.obey([task for task in tasks if task.task not in self.away.gone], now)
        return await self._goes_on(now)

    async def _may_begin(self, news: list[News], now: float) -> bool:
        """False: it has to wait for its turn among others, and the visit is over."""
        if not must_ask(self.program, self.state, news, now) or await self._let_in(now):
            return True
        state = self.state
        moments = [one for one in (state.queued_until, next_moment(state)) if one is not None]
        if await self._leave(now, min(moments, default=None)):
            return False
        return await self._may_begin(news, now)

    async def _let_in(self, now: float) -> bool:
        """Ask for a slot. False: the execution has to wait."""
        state = self.state
        if state.queued_until is not None and now < state.queued_until:
            return False
        draft = self.draft
        verdict = await ask(
            self.engine, self.program, Asking(draft.book.workspace, draft.book.execution, state, self.again)
        )
        if verdict == ExecutionQueued(state.queued or "") and not draft.unsaved.events:
            return False
        draft.unsaved.judge(state, verdict, now)
        if not isinstance(verdict, ExecutionQueued):
            return True
        if not await draft.put(now, ()):
            now = self.engine.clock.now()
            return await self._let_in(now) if must_ask(self.program, self.state, (), now) else True
        return False

    async def _let_go(self) -> None:
        """End the child executions that nobody waits for any more, and withdraw what need not be decided any more. A
        visit that takes over does it again for all."""
        engine, book = self.engine, self.draft.book
        orphans, unasked = book.state.orphans, book.state.unasked
        if len(orphans) > self.let_go:
            await children.end(engine, book.workspace, book.execution, orphans[self.let_go :])
            self.let_go = len(orphans)
        if len(unasked) > self.withdrawn:
            await approvals.withdraw(engine, book.workspace, book.execution, unasked[self.withdrawn :])
            self.withdrawn = len(unasked)

    def _starts_once(self, task: RunTask) -> bool:
        """Whether its start must be recorded before it begins; of a remote one it is when it is leased."""
        return task.at_most_once and not task.started and task.pattern != "activity"

    def _is_anothers(self, task: RunTask) -> bool:
        """Whether it must run at most once, and another visit has begun it: there it may still run, here it never may.
        Nobody can tell whether that visit lives, so it is given up."""
        once = task.at_most_once and task.started and task.pattern != "activity"
        return once and task.task not in self.draft.begun and self.draft.is_here(task)

    def _next_look(self) -> float:
        """The moment by which the clock or the book must be looked at: now, if there is more to decide."""
        soonest = self.engine.clock.now() + (0.0 if unfinished(self.state) else self.engine.limits.notice)
        moments = (soonest, self.ends, next_moment(self.state), self.draft.unsaved.until())
        return min(moment for moment in moments if moment is not None)

    async def _goes_on(self, now: float) -> bool:
        """Whether there is anything to stay for. If not, whoever comes next has been seen to."""
        moment = next_moment(self.state)
        if self.ends is not None and now >= self.ends:
            return await self._parts(now, goes_on=True)
        soon = moment is not None and moment - now <= self.engine.limits.linger
        if soon or self.running.any or unfinished(self.state):
            return True
        await tell_waiting(self.engine, self.draft.book.workspace, self.program, self.state)
        return await self._parts(now, moment)

    async def _parts(self, now: float, moment: float | None = None, *, goes_on: bool = False) -> bool:
        """`_leave`, as soon as nobody else writes. False: the visit is over."""
        return False if await self._leave(now, moment, goes_on=goes_on) else await self._turn([])

    async def _leave(self, now: float, moment: float | None = None, *, goes_on: bool = False) -> bool:
        """Put what is unsaved, and see to it that somebody comes again. One who holds the execution says that the lane
        may drive it from here on. False: somebody else wrote, and what follows from that is to be seen to first."""
        draft = self.draft
        if self.state.held_until is not None:
            draft.unsaved.events.append(HandedOver())
            evolve(self.state, draft.unsaved.events[-1], now)
        if draft.unsaved.events and not await draft.put(now, ()):
            return False
        await part(self.engine, draft.book, moment, goes_on=goes_on)
        return True


def _died(task: RunTask, *, killed: bool) -> bool:
    """Whether the visit before may have ended in the middle of it. What runs at most once has begun when the book says
    so, and then nobody knows; of all else the process `killed` is counted."""
    return task.started if task.at_most_once else killed
