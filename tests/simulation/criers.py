"""Criers: what executions wait for to hear from outside is told again and again, until they are over."""

from functools import partial
from typing import Final

from linkflow.execution.signals import SignalReceived
from linkflow.language.json import Json
from linkflow.stores import keys
from linkflow.stores.records import Summary, decode
from tests.simulation import requests
from tests.simulation.hosts import Hosts
from tests.simulation.played import Announced
from tests.unit.random_graphs import SIGNAL

AGAIN: Final = 15.0
"""Seconds until the next."""


class Criers:
    def __init__(self, hosts: Hosts) -> None:
        self.hosts, self.played = hosts, hosts.played

    async def signal(self, workspace: str, execution: str) -> None:
        """The same signal, as often as its states wait for it."""
        kind, number = "", 0
        while kind != "over":
            number += 1
            told = SignalReceived(SIGNAL, 1, f"{execution}-{number}")
            ask = partial(requests.signalled, workspace=workspace, execution=execution, told=told)
            kind = await self.hosts.insist(workspace, ask)
            await self.hosts.clock.sleep(AGAIN)

    async def publish(self, workspace: str, execution: str, given: Json) -> None:
        number = 0
        while await self._is_open(workspace, execution):
            number += 1
            name, since = f"{execution}-{number}", self.hosts.clock.now()
            ask = partial(requests.published, workspace=workspace, name=name, given=given)
            told = await self.hosts.insist(workspace, ask)
            announced = Announced(workspace, name, given, since, self.hosts.clock.now(), told)
            self.played.announced.append(announced)
            await self.hosts.clock.sleep(AGAIN)

    async def _is_open(self, workspace: str, execution: str) -> bool:
        item = await self.played.stores.table.get(keys.summary(workspace, execution))
        return item is not None and decode(item.body, Summary).status == "running"
