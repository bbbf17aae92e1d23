"""The hosts of a story: each runs one process after the other, and is asked by those outside until it answers."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import Final, TypeVar

from linkflow.errors import TryAgain
from linkflow.runtime.wiring import World
from tests.simulation.plan import Happening
from tests.simulation.played import Played
from tests.simulation.processes import Make, Process

T = TypeVar("T")
AGAIN: Final = 0.4
"""Seconds after which who got no answer asks again."""


class Hosts:
    """`busy` is what those outside are at; the story is not over before they are done."""

    def __init__(self, played: Played, make: Make) -> None:
        self.played, self.make = played, make
        self.clock = played.stores.clock
        self.busy: dict[asyncio.Task[None], None] = {}
        self._beside: list[asyncio.Task[None]] = []
        self._hosts: list[Process | None] = [None for _ in played.plan.skews]
        self._all: list[Process] = []

    def start(self) -> None:
        for host in range(len(self._hosts)):
            self._start(host)

    async def bury(self) -> None:
        """Nothing goes on in them any more."""
        for task in (*self.busy, *self._beside):
            task.cancel()
        for process in self._all:
            process.alive = False
            await process.buried()
        await asyncio.sleep(0)

    def _start(self, host: int) -> None:
        played, number = self.played, len(self._all) + 1
        process = Process(
            f"{'AB'[host]}{number}",
            played.stores,
            self.make,
            played.weather,
            played.outside,
            played.trespasses,
            played.plan.seed * 100 + number,
            played.plan.skews[host],
            lambda _: self.keep_busy(self._start_later(host)),
        )
        self._hosts[host] = process
        self._all.append(process)
        process.start()

    async def _start_later(self, host: int) -> None:
        pauses = self.played.plan.pauses
        await self.clock.sleep(pauses[len(self._all) % len(pauses)])
        self._start(host)

    async def happen(self, happening: Happening) -> None:
        await self.clock.sleep(happening.at)
        process = self._hosts[happening.host] if happening.host < len(self._hosts) else None
        if process is None or not process.alive or process.stopping:
            return
        self.played.weather.last = self.clock.now()
        match happening.kind:
            case "kill":
                process.die()
            case "jump":
                process.clock.skew += happening.seconds
                process.note(f"jumps {happening.seconds} s")
            case "stop":
                await process.stop()
                self._start(happening.host)

    def beside(self, work: "asyncio._CoroutineLike[None]") -> None:
        """The same for what goes on until the story is over."""
        self._beside.append(asyncio.get_running_loop().create_task(work, context=Context()))

    def keep_busy(self, work: "asyncio._CoroutineLike[None]") -> None:
        """Of nobody's process, whoever calls."""
        task = asyncio.get_running_loop().create_task(work, context=Context())
        self.busy[task] = None
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        del self.busy[task]
        if not task.cancelled() and task.exception() is not None:
            self.played.surprises.append(repr(task.exception()))

    async def insist(self, workspace: str, ask: Callable[[World], Awaitable[T]]) -> T:
        """Ask one host after the other until one answers. What is no answer: no host, one that died, try again."""
        number = 0
        while True:
            number += 1
            host = self._hosts[number % len(self._hosts)]
            if host is not None and host.alive and not host.stopping:
                asked = host.spawn(_asked(ask, host.world), workspace)
                await asyncio.wait([asked])
                if not asked.cancelled() and not isinstance(asked.exception(), TryAgain):
                    return asked.result()
            await self.clock.sleep(AGAIN)


async def _asked(ask: Callable[[World], Awaitable[T]], world: World) -> T:
    return await ask(world)
