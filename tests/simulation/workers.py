"""Remote workers: somebody's own programs, which lease tasks, and answer them, once or twice, in time or too late; or
die with them. What they answer follows from what they are asked."""

from functools import partial
from itertools import count
from typing import Final

from linkflow.engine.lease import Leased, Wish
from tests.simulation import requests
from tests.simulation.hosts import Hosts
from tests.simulation.plan import Labour
from tests.simulation.played import Held
from tests.simulation.scenes import QUEUE
from tests.simulation.weather import Line

LEASE: Final = 40.0
BEAT_EVERY: Final = 15.0
SELDOM: Final = 30.0
"""Seconds between two looks into the queue, at most."""


class Workers:
    def __init__(self, hosts: Hosts) -> None:
        self.hosts, self.played = hosts, hosts.played
        self._count = 0

    async def work(self, workspace: str) -> None:
        """For as long as the story lasts; each time it is another who comes, so that nobody goes on with what lapsed in
        the name of who has it now."""
        pause = 1.0
        for number in count():
            wish = Wish(f"worker-{number}", 3, 0.0, LEASE)
            ask = partial(requests.polled, workspace=workspace, queue=QUEUE, wish=wish)
            taken = await self.hosts.insist(workspace, ask)
            for leased in taken:
                self._take(workspace, leased, wish.worker)
            pause = 1.0 if taken else min(SELDOM, 2 * pause)
            await self.hosts.clock.sleep(pause)

    def _take(self, workspace: str, leased: Leased, worker: str) -> None:
        held = Held(self.hosts.clock.now(), leased, worker, leased.until, [])
        self.played.held.append(held)
        labours = self.played.plan.labours
        labour = labours[self._count % len(labours)]
        self._count += 1
        self._tell(held, f"begins, and is {labour}")
        if labour != "dies":
            self.hosts.keep_busy(self._labour(workspace, held, labour))

    async def _labour(self, workspace: str, held: Held, labour: Labour) -> None:
        patience = self.played.plan.patience
        await self.hosts.clock.sleep(patience[self._count % len(patience)])
        if labour == "beats":
            await self._beat(workspace, held)
        if labour == "late":
            await self.hosts.clock.sleep(2 * LEASE)
        for _ in range(2 if labour == "twice" else 1):
            answer = await self._answer(workspace, held.leased)
            held.answers.append(answer)
            self._tell(held, f"is told '{answer}'")

    async def _beat(self, workspace: str, held: Held) -> None:
        for _ in range(4):
            await self.hosts.clock.sleep(BEAT_EVERY)
            ask = partial(requests.beaten, workspace=workspace, token=held.leased.token, worker=held.worker)
            until = await self.hosts.insist(workspace, ask)
            if until is None:
                return
            held.until = until

    async def _answer(self, workspace: str, leased: Leased) -> str:
        outside, task = self.played.outside, leased.task
        digest = outside.digest(f"labour/{task.node}", leased.payload)
        if digest % 8 < outside.failing or (digest % 8 == 7 and task.attempt == 1):
            ask = partial(requests.failed, workspace=workspace, token=leased.token)
        else:
            ask = partial(requests.succeeded, workspace=workspace, token=leased.token, output=f"{digest:x}")
        return await self.hosts.insist(workspace, ask)

    def _tell(self, held: Held, told: str) -> None:
        subject = f"{held.worker}, task {held.leased.task.task} of {held.leased.execution}, lease {held.leased.lease}"
        self.played.weather.lines.append(Line(self.hosts.clock.now(), "outside", "labours", f"{subject}: {told}"))
