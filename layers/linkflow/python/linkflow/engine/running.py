"""The tasks that run inside one visit, at the same time, and the bell that tells when there is something to hear.

One timer serves many steps: it is set anew only when the visit must look up earlier than planned, so that a row of
quick tasks pays for it once.
"""

import asyncio
from collections.abc import Sequence

from linkflow.engine.engine import Call, Engine
from linkflow.engine.tasks import run_task
from linkflow.engine.unsaved import of_task
from linkflow.execution.commands import RunTask
from linkflow.execution.events import News, TaskStarted


class _One:
    """`told`: that it runs was recorded (or need not be)."""

    __slots__ = ("job", "since", "task", "told")

    def __init__(self, task: RunTask, job: "asyncio.Task[News]", since: float) -> None:
        self.task = task
        self.job = job
        self.since = since
        self.told = task.started


class Running:
    __slots__ = ("_bell", "_engine", "_execution", "_finished", "_ones", "_timer", "_timer_at", "_workspace")

    def __init__(self, engine: Engine, workspace: str, execution: str) -> None:
        self._engine = engine
        self._workspace = workspace
        self._execution = execution
        self._ones: dict[int, _One] = {}
        self._finished: list[asyncio.Task[News]] = []
        self._bell: asyncio.Future[None] | None = None
        self._timer: asyncio.Task[None] | None = None
        self._timer_at = 0.0

    @property
    def any(self) -> bool:
        return bool(self._ones)

    def has(self, task: int) -> bool:
        return task in self._ones

    def obey(self, tasks: Sequence[RunTask], now: float) -> None:
        """Let exactly these run: start what does not run yet, cancel what nobody awaits any more."""
        names = {task.task: task.name for task in tasks}
        if moved := [number for number, one in self._ones.items() if names.get(number) != one.task.name]:
            self._move([self._ones.pop(number) for number in moved], tasks)
        for task in tasks:
            if task.task not in self._ones:
                call = Call(self._workspace, self._execution, task)
                job: asyncio.Task[News] = asyncio.create_task(run_task(self._engine, call))
                job.add_done_callback(self._ended)
                self._ones[task.task] = _One(task, job, now)

    def _move(self, ones: Sequence[_One], tasks: Sequence[RunTask]) -> None:
        """The book was read again, in which tasks may have other numbers: those that are still owed run on."""
        owed = {task.name: task for task in tasks}
        for one in ones:
            if (task := owed.get(one.task.name)) is None:
                one.job.cancel()
            else:
                one.task = task
                self._ones[task.task] = one

    async def news(self, until: float) -> list[News]:
        """The outcomes of all tasks that ended, as soon as there is one; at the moment `until`, what has been running
        long enough to be told of, perhaps nothing."""
        if not self._finished:
            await self._wait(until)
        ended, self._finished = self._finished, []
        outcomes: list[News] = []
        for number, one in list(self._ones.items()):
            if one.job in ended:
                del self._ones[number]
                outcomes.append(of_task(one.job.result(), one.task))
        return outcomes or self._long_ones(self._engine.clock.now())

    def abandon(self) -> None:
        """The visit is over: nothing of it goes on."""
        for one in self._ones.values():
            one.job.cancel()
        if self._timer is not None:
            self._timer.cancel()

    def _ended(self, job: "asyncio.Task[News]") -> None:
        if not job.cancelled():
            self._finished.append(job)
        self._ring()

    def _ring(self) -> None:
        if self._bell is not None and not self._bell.done():
            self._bell.set_result(None)

    async def _wait(self, until: float) -> None:
        self._bell = asyncio.get_running_loop().create_future()
        if self._timer is None or self._timer.done() or self._timer_at > until:
            if self._timer is not None:
                self._timer.cancel()
            self._timer, self._timer_at = asyncio.create_task(self._sleep(until)), until
        await self._bell

    async def _sleep(self, until: float) -> None:
        await self._engine.clock.sleep(max(0.0, until - self._engine.clock.now()))
        self._ring()

    def _long_ones(self, now: float) -> list[News]:
        """Tasks that have been running for so long that people should see them."""
        told: list[News] = []
        for one in self._ones.values():
            if not one.told and now - one.since >= self._engine.limits.long_task:
                one.told = True
                told.append(TaskStarted(one.task.scope, one.task.task, one.since))
        return told
