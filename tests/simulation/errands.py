"""Errands: what somebody comes to do to all executions of a workflow, to what is held with it, or to schedules."""

from collections.abc import Callable
from functools import partial
from typing import Final, get_args

from linkflow.engine.holds import Scope
from linkflow.stores.operations import Action
from linkflow.stores.records import Workflow
from tests.simulation import requests
from tests.simulation.hosts import Hosts
from tests.simulation.plan import Visitor
from tests.simulation.played import BEGINS, Reply

LOOKS_EVERY: Final = 5.0
"""Seconds after which who asked for something looks how far it came."""
ACTIONS: Final[dict[str, Action]] = {f"{action} all": action for action in get_args(Action)}
"""What is done to all, by the deed."""


class Errands:
    def __init__(self, hosts: Hosts, answered: Callable[[Reply], None]) -> None:
        self.hosts, self.played = hosts, hosts.played
        self._answered = answered

    async def hold(self, visitor: Visitor, workflow: Workflow) -> None:
        scope = {
            "workflow": Scope(workflow.workspace, workflow.id),
            "workspace": Scope(workflow.workspace),
            "engine": Scope(),
        }[visitor.reach]
        drains = visitor.deed == "drain"
        await self.hosts.insist(workflow.workspace, lambda world: requests.held(world, scope, drains=drains))
        self._answered(Reply(visitor, "held"))
        await self.hosts.clock.sleep(visitor.seconds)
        await self.hosts.insist(workflow.workspace, lambda world: requests.let_go(world, scope))
        self.played.weather.last = self.hosts.clock.now()

    async def to_all(self, visitor: Visitor, workflow: Workflow) -> None:
        """Ask for it, and look until it is done."""
        action, key = ACTIONS[visitor.deed], f"{visitor.deed} {visitor.at}"
        ask = partial(requests.asked_of_all, workflow=workflow, action=action, key=key)
        operation = await self.hosts.insist(workflow.workspace, ask)
        look = partial(requests.looked_at, workspace=workflow.workspace, operation=operation.id)
        while operation.status == "running":
            await self.hosts.clock.sleep(LOOKS_EVERY)
            operation = await self.hosts.insist(workflow.workspace, look)
        self._answered(Reply(visitor, operation.status, body=operation.id))

    async def to_schedules(self, visitor: Visitor) -> None:
        for one in self.played.schedules:
            workspace, insist = one.part.workspace, partial(self.hosts.insist, one.part.workspace)
            if visitor.deed == "trigger":
                ask = partial(requests.triggered, workspace=workspace, schedule=one.id, key=f"trigger {visitor.at}")
                self._answered(Reply(visitor, "triggered", schedule=one.id, executions=(await insist(ask),)))
            else:
                until = BEGINS + visitor.at
                past = partial(requests.backfilled, workspace=workspace, schedule=one.id, until=until)
                started = tuple(execution for _, execution, _ in await insist(past))
                self._answered(Reply(visitor, "backfilled", schedule=one.id, executions=started))
