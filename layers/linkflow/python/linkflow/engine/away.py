"""The tasks of one execution that do not run in its visit: sent to a queue, or offered to remote workers.

What is sent is a message, in one atom with the turn where the store can; what is offered is an item behind it. A visit
that takes over from a dead one does both again: a worker's second outcome is dropped by the core's gate, an offer
that stands already is left alone. A task that must not run twice is sent only after its start was recorded, and
then never again.
"""

from collections.abc import Collection, Sequence

from linkflow.engine.enabled import check_enabled
from linkflow.engine.engine import Engine
from linkflow.engine.lease import offer, offer_of
from linkflow.engine.place import Placement, dispatch, dispatch_isolated, place
from linkflow.execution.commands import RunTask
from linkflow.execution.events import Event, MomentReached, TaskFailed
from linkflow.execution.state import State
from linkflow.language.asl.waits import plain
from linkflow.language.view import EvaluationFailed
from linkflow.nodes.base import NodeFailed
from linkflow.ports import Key, Send


class Away:
    """`gone` are tasks that were sent or offered; `offers` are the keys of the latter; `refused` are those that cannot
    be, with the reason."""

    __slots__ = ("engine", "execution", "gone", "offers", "places", "refused", "untrusted", "workspace")

    def __init__(self, engine: Engine, workspace: str, execution: str, untrusted: Collection[str]) -> None:
        self.engine = engine
        self.workspace = workspace
        self.execution = execution
        self.untrusted = untrusted
        self.gone: set[int] = set()
        self.offers: dict[int, Key] = {}
        self.places: dict[int, Placement] = {}
        self.refused: list[TaskFailed] = []

    def place(self, task: RunTask) -> Placement:
        where = self.places.get(task.task)
        if where is None:
            where = place(task, self.engine.limits.visit, self.engine.nodes, self.untrusted)
            self.places[task.task] = where
        return where

    def assume(self, tasks: Sequence[RunTask], *, resumed: bool) -> None:
        """What an earlier visit saw to; one that died (`resumed`) may have seen to nothing."""
        for task in tasks:
            where = self.place(task)
            if where == "here":
                continue
            if where == "remote" and not resumed:
                self._offered(task)
            elif (task.at_most_once and task.started) or not (resumed or task.at_most_once):
                self.gone.add(task.task)

    def leave_to_others(self, tasks: Sequence[RunTask]) -> None:
        """The book was read again: what runs once and was begun there is for that visit to send."""
        once = [task for task in tasks if task.at_most_once and task.started]
        self.gone.update(task.task for task in once if self.place(task) in ("queue", "isolated"))

    def unsent(self, tasks: Sequence[RunTask]) -> tuple[int, ...]:
        """Those that go to a queue without a record of their start, or to remote workers of whom none took them, as far
        as nobody is known to have sent or offered them."""
        away = [one for one in tasks if one.task not in self.gone and self.place(one) != "here"]
        return tuple(one.task for one in away if not (one.started if self.place(one) == "remote" else one.at_most_once))

    def due(self, tasks: Sequence[RunTask]) -> list[RunTask]:
        """Those to be sent or offered now."""
        return [
            task
            for task in tasks
            if task.task not in self.gone
            and (where := self.place(task)) != "here"
            and (where == "remote" or task.started or not task.at_most_once)
        ]

    def sends(self, state: State, due: Sequence[RunTask]) -> list[Send]:
        """The messages of those that go to a queue."""
        sends = []
        for task in due:
            where = self.place(task)
            try:
                if where != "remote":
                    check_enabled(self.engine.switchboard.seen, self.workspace, plain(task.resource))
                if where == "queue":
                    sends.append(dispatch(self.workspace, self.execution, task))
                elif where == "isolated":
                    sends.append(dispatch_isolated(state, task))
            except NodeFailed as failed:
                self._refuse(task, failed.code, failed.message)
        return sends

    async def leave(self, due: Sequence[RunTask]) -> None:
        """They are owed by the book, and the messages are sent: offer the others."""
        for task in due:
            if self.place(task) == "remote" and self._offered(task):
                await offer(self.engine, offer_of(self.workspace, self.execution, task))
            self.gone.add(task.task)

    async def keep(self, tasks: Sequence[RunTask]) -> None:
        """Take back what is offered and no longer owed. What was postponed is sent again when its time has come."""
        if self.gone:
            self.gone &= {task.task for task in tasks}
        if self.offers:
            wanted = {task.task for task in tasks}
            for number in [number for number in self.offers if number not in wanted]:
                await self.engine.leases.withdraw(self.offers.pop(number))

    def take_back(self, state: State, events: Sequence[Event]) -> None:
        """What was put off, and whose moment has come, is to be sent again, although it may never have been seen
        waiting."""
        if not self.gone:
            return
        for event in events:
            scope = state.scopes.get(event.scope) if isinstance(event, MomentReached) else None
            if scope is not None and scope.task is not None:
                self.gone.discard(scope.task.task)

    def take_refused(self) -> list[TaskFailed]:
        refused, self.refused = self.refused, []
        return refused

    def _offered(self, task: RunTask) -> bool:
        self.gone.add(task.task)
        try:
            self.offers[task.task] = offer_of(self.workspace, self.execution, task).key
        except EvaluationFailed as failed:
            self._refuse(task, failed.error, failed.cause)
            return False
        return True

    def _refuse(self, task: RunTask, error: str, cause: str) -> None:
        now = self.engine.clock.now()
        self.refused.append(TaskFailed(task.scope, task.task, error, cause, now, now, retryable=False))
