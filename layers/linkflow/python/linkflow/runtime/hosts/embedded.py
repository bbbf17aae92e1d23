"""Everything in one process and one event loop: the site, a pump for each queue function, a ticker for each schedule.

`run` is the program, `serve` its heart: it listens, and on SIGINT or SIGTERM stops in order (callers that wait are
answered without what they wait for; no new requests, then no new messages; what runs may finish for `GRACE` seconds,
and a request that does not is answered 503; the world is closed). `Embedded` is without socket and signals:
tests send it requests through `httpx.ASGITransport(embedded.site)` and may give its world a `VirtualClock`.
"""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from types import TracebackType
from typing import Self

import uvicorn

from linkflow.engine.dead_letters import bury
from linkflow.ports import Clock
from linkflow.runtime.functions import Declare, Function, HttpRoutes, QueueTrigger, Schedule
from linkflow.runtime.hosts.collector import calm_collector
from linkflow.runtime.hosts.pump import LONG_POLL, Pump
from linkflow.runtime.http import Receive, Scope, Send, Site
from linkflow.runtime.settings import Settings
from linkflow.runtime.telemetry import start_logging
from linkflow.runtime.wiring import Connect, World

GRACE = 5.0
"""Seconds that running handlers and open requests have to finish once a stop was asked for."""
KEEP_ALIVE = 75
"""Seconds an idle connection stays open: longer than gateways keep theirs (60), so that none is cut under a request."""
Listening = Callable[[str], None]
_STOP = (signal.SIGINT, signal.SIGTERM)
_log = logging.getLogger(__name__)


def _nobody_asked(_: str) -> None:
    """The address is told to nobody."""


class Embedded:
    """The functions, running while the context is entered. Leaving it lets running handlers finish and closes the
    world."""

    def __init__(self, world: World, functions: Sequence[Function], long_poll: float = LONG_POLL) -> None:
        settings = world.settings
        routes = [one.trigger.routes for one in functions if isinstance(one.trigger, HttpRoutes)]
        self.site = Site(routes, world.ids, max_body=settings.max_body, origins=settings.cors_origins)
        self._world = world
        dig = partial(bury, world.engine)
        self._pumps = [
            Pump(world.queue, world.clock, one.name, one.trigger, settings.concurrency, dig, long_poll)
            for one in functions
            if isinstance(one.trigger, QueueTrigger)
        ]
        self._schedules = [(one.name, one.trigger) for one in functions if isinstance(one.trigger, Schedule)]
        self._tasks: list[asyncio.Task[None]] = []
        self._tickers: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to receive and to tick. Needs the running event loop in which the world was connected."""
        self._tasks = [asyncio.create_task(pump.run()) for pump in self._pumps]
        self._tickers = [
            asyncio.create_task(_tick(self._world.clock, name, schedule)) for name, schedule in self._schedules
        ]

    async def stop(self, grace: float = GRACE) -> None:
        """Stop in order; after `grace` seconds (of real time) what still runs is cancelled and will come again."""
        for pump in self._pumps:
            pump.stop()
        for ticker in self._tickers:
            ticker.cancel()
        everything = [*self._tasks, *self._tickers]
        if everything:
            _, late = await asyncio.wait(everything, timeout=grace)
            for task in everything:
                if task in late:
                    task.cancel()
            await asyncio.gather(*everything, return_exceptions=True)
        await self._world.close()

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


async def _tick(clock: Clock, name: str, schedule: Schedule) -> None:
    """Once at the start (to repair what a crash left), then at every multiple of the period; never two at once."""
    while True:
        try:
            await schedule.tick(clock.now())
        except Exception:  # noqa: BLE001 (the next tick tries again)
            _log.exception("tick_failed", extra={"function": name})
        now = clock.now()
        await clock.sleep((now // schedule.every + 1) * schedule.every - now)


class _Server(uvicorn.Server):
    """A server whose signals are ours to handle: the library's own would kill the process with the signal afterwards,
    and the exit code of an orderly stop is 0."""

    def __init__(self, config: uvicorn.Config, listening: Listening) -> None:
        super().__init__(config)
        self._listening = listening

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in (listener for server in self.servers for listener in server.sockets):
            host, port = listener.getsockname()[:2]
            self._listening(f"http://{f'[{host}]' if ':' in host else host}:{port}")


async def serve(
    world: World,
    functions: Sequence[Function],
    host: str,
    port: int,
    listening: Listening = _nobody_asked,
    *,
    grace: float = GRACE,
) -> None:
    """Run everything and listen on `host`:`port` (0: any free one) until SIGINT or SIGTERM. `listening` is told the
    address. An address that cannot be had ends the process with exit code 1."""
    embedded = Embedded(world, functions)

    async def site(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await embedded.site(scope, receive, send)
        except asyncio.CancelledError:
            if not server.should_exit:  # (else the caller was told, and the library would log what it did itself)
                raise

    config = uvicorn.Config(
        site,
        host=host,
        port=port,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=int(grace),
    )
    server = _Server(config, listening)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        server.should_exit = True
        world.engine.bells.dismiss()

    for number in _STOP:
        loop.add_signal_handler(number, stop)
    try:
        async with embedded:
            await server.serve()
    finally:
        for number in _STOP:
            loop.remove_signal_handler(number)


def _fastest_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop  # noqa: PLC0415 (not on every platform)
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def run(settings: Settings, declare: Declare, connect_world: Connect, listening: Listening = _nobody_asked) -> None:
    """The whole program: connect, serve, return after an orderly stop."""

    async def program() -> None:
        world = await connect_world(settings)
        functions = declare(world)
        calm_collector()
        await serve(world, functions, settings.host, settings.port, listening)

    start_logging(settings.log)
    with asyncio.Runner(loop_factory=_fastest_loop) as runner:
        runner.run(program())
