"""Those to whom something was handed out that they bring back after a while: a task's token, or a link by which a
person decides."""

import asyncio
from functools import partial
from typing import Final

from linkflow.engine.approvals import Vote
from linkflow.execution.tokens import read_link, read_token
from linkflow.language.json import Json
from tests.simulation import requests
from tests.simulation.hosts import Hosts
from tests.simulation.played import Given
from tests.simulation.weather import Line

OFTEN: Final = 2
"""Of so many votes one is given twice at the same moment, as impatient people do."""


class Bearers:
    def __init__(self, hosts: Hosts) -> None:
        self.hosts, self._count = hosts, 0

    def token_came(self, token: str, output: Json) -> None:
        self.hosts.keep_busy(self._give_back(token, output))

    def vote_wanted(self, link: str, person: str, approves: bool) -> None:
        vote = Vote(person, "approved" if approves else "rejected", linked=True)
        self.hosts.keep_busy(self._vote(link.rpartition("/")[2], vote))

    async def _give_back(self, token: str, output: Json) -> None:
        await self._wait()
        bare = read_token(token)
        assert bare is not None
        ask = partial(requests.succeeded, workspace=bare.workspace, token=token, output=output)
        told = await self.hosts.insist(bare.workspace, ask)
        self._tell("gave a token", Given(bare.execution, bare.task, told))

    async def _vote(self, text: str, vote: Vote) -> None:
        await self._wait()
        link = read_link(text)
        assert link is not None
        ask = partial(requests.voted, text=text, vote=vote)
        times = 2 if self._count % OFTEN == 0 else 1
        for told in await asyncio.gather(*(self.hosts.insist(link.workspace, ask) for _ in range(times))):
            self._tell("voted", Given(link.execution, link.task, told, vote))

    async def _wait(self) -> None:
        self._count += 1
        patience = self.hosts.played.plan.patience
        await self.hosts.clock.sleep(patience[self._count % len(patience)])

    def _tell(self, what: str, given: Given) -> None:
        self.hosts.played.given.append(given)
        who = f"{given.vote.by}: {given.vote.decision}, " if given.vote is not None else ""
        subject = f"{given.execution}: {who}{given.told}"
        self.hosts.played.weather.lines.append(Line(self.hosts.clock.now(), "outside", what, subject))
