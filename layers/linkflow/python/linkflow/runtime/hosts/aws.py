"""The functions on AWS: a Chalice app that binds each declaration to its trigger, and what Lambda calls.

Importing the app declares and connects nothing, so that it can be packaged anywhere; the first invocation of a process
connects the world, in one event loop that the process keeps. Requests go to the same site as on every other host.
Lambda finds an event's handler as an attribute of the module `app` (`Bound.handlers`), requests at `app.app`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, cast

from chalice.app import Chalice, Rate, Request, Response, SQSEvent

from linkflow.engine.dead_letters import bury
from linkflow.ports import Message, QueueSpec
from linkflow.runtime.functions import Declare, Function, HttpRoutes, QueueTrigger, Schedule
from linkflow.runtime.hosts import gateway
from linkflow.runtime.hosts.collector import calm_collector
from linkflow.runtime.hosts.delivery import failed_of
from linkflow.runtime.http import Site
from linkflow.runtime.routes import Routes
from linkflow.runtime.settings import Settings
from linkflow.runtime.telemetry import start_logging
from linkflow.runtime.wiring import Connect, World, not_connected

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Bound:
    """`app` is what Chalice packages; `handlers` must become attributes of the module that Lambda imports."""

    app: Chalice
    handlers: Mapping[str, Callable[..., Any]]
    close: Callable[[], None]
    """Lets go of the process's world and event loop. Lambda never says when; programs that end should."""


class Process:
    """What one Lambda process keeps between invocations: an event loop, the world, the working functions."""

    def __init__(self, declare: Declare, settings: Settings, connect_world: Connect) -> None:
        self._declare = declare
        self._settings = settings
        self._connect = connect_world
        self._runner: asyncio.Runner | None = None
        self._world: World | None = None
        self._functions: dict[str, Function] = {}
        self._site: Site | None = None

    def answer(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """A REST proxy event's answer."""
        return self._run(self._answer(event))

    def deliver(self, name: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """An SQS event's outcome; records that failed are named, so that only they come again."""
        return self._run(self._deliver(name, event))

    def tick(self, name: str) -> None:
        self._run(self._tick(name))

    def close(self) -> None:
        if self._world is not None:
            self._run(self._world.close())
        if self._runner is not None:
            self._runner.close()

    def _run(self, work: Awaitable[Result]) -> Result:
        async def working() -> Result:
            return await work

        if self._runner is None:
            self._runner = asyncio.Runner()
        return self._runner.run(working())

    async def _connected(self) -> World:
        if self._world is None:
            start_logging(self._settings.log)
            self._world = await self._connect(self._settings)
            self._functions = {one.name: one for one in self._declare(self._world)}
            calm_collector()
        return self._world

    async def _answer(self, event: Mapping[str, Any]) -> dict[str, Any]:
        world = await self._connected()
        if self._site is None:
            self._site = Site(
                _routes(list(self._functions.values())),
                world.ids,
                max_body=self._settings.max_body,
                origins=self._settings.cors_origins,
            )
        return await gateway.answer(self._site, event)

    async def _deliver(self, name: str, event: Mapping[str, Any]) -> dict[str, Any]:
        world = await self._connected()
        trigger = cast("QueueTrigger", self._functions[name].trigger)
        messages = [_message(record, trigger.queue) for record in event["Records"]]
        failed = await failed_of(messages, name, trigger, world.queue, partial(bury, world.engine))
        return {"batchItemFailures": [{"itemIdentifier": message.id} for message in failed]}

    async def _tick(self, name: str) -> None:
        world = await self._connected()
        await cast("Schedule", self._functions[name].trigger).tick(world.clock.now())


def bind(declare: Declare, settings: Settings, connect_world: Connect) -> Bound:
    """The Chalice app of everything `declare` declares."""
    app = Chalice("linkflow", configure_logs=False)  # it would take our logger, which has the same name
    process = Process(declare, settings, connect_world)
    functions = declare(not_connected(settings))
    _bind_routes(app, process, _routes(functions), cors=bool(settings.cors_origins))
    handlers = {}
    for function in functions:
        if isinstance(function.trigger, QueueTrigger):
            handlers[function.name] = _bind_queue(app, process, function.name, function.trigger, settings)
        elif isinstance(function.trigger, Schedule):
            handlers[function.name] = _bind_schedule(app, process, function.name, function.trigger)
    return Bound(app, handlers, process.close)


def _routes(functions: Sequence[Function]) -> list[Routes]:
    return [function.trigger.routes for function in functions if isinstance(function.trigger, HttpRoutes)]


class _Ready(Response):
    """An answer in the form Lambda wants. Chalice would look at its type again and refuse binary ones to callers
    without a fitting `Accept`."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(body="", headers={}, status_code=answer["statusCode"])
        self._answer = answer

    def to_dict(self, binary_types: list[str] | None = None) -> dict[str, Any]:  # noqa: ARG002 (Chalice's signature)
        return self._answer


def _bind_routes(app: Chalice, process: Process, routes: Sequence[Routes], *, cors: bool) -> None:
    def view(**_: str) -> _Ready:
        request = cast("Request", app.current_request)
        return _Ready(process.answer(request.to_original_event()))

    methods: dict[str, set[str]] = {"/openapi.json": {"GET"}, "/docs": {"GET"}}
    for method, rule in (declared for one in routes for declared in one.declared):
        methods.setdefault(rule.replace("<", "{").replace(">", "}"), set()).add(method)
    for path, allowed in methods.items():
        also = {"OPTIONS"} if cors else set()
        app.route(path, methods=sorted(allowed | also), content_types=["*/*"], name=path)(view)


def _bind_queue(
    app: Chalice, process: Process, name: str, trigger: QueueTrigger, settings: Settings
) -> Callable[..., Any]:
    def handle(event: SQSEvent) -> dict[str, Any]:
        return process.deliver(name, event.to_dict())

    handle.__name__ = name
    suffix = ".fifo" if trigger.queue.fifo else ""
    queue = f"{settings.names}-{trigger.queue.name}{suffix}"
    return cast("Callable[..., Any]", app.on_sqs_message(queue=queue, batch_size=trigger.batch, name=name)(handle))


def _bind_schedule(app: Chalice, process: Process, name: str, trigger: Schedule) -> Callable[..., Any]:
    def tick(_: object) -> None:
        process.tick(name)

    tick.__name__ = name
    return cast("Callable[..., Any]", app.schedule(_rate(trigger.every), name=name)(tick))


def _rate(seconds: int) -> Rate:
    for unit, size in ((Rate.DAYS, 86400), (Rate.HOURS, 3600)):
        if seconds % size == 0:
            return Rate(seconds // size, unit)
    return Rate(seconds // 60, Rate.MINUTES)


def _message(record: Mapping[str, Any], queue: QueueSpec) -> Message:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event"""
    attributes = record["attributes"]
    return Message(
        id=record["messageId"],
        queue=queue.name,
        body=record["body"].encode(),
        receives=int(attributes["ApproximateReceiveCount"]),
        receipt=record["receiptHandle"],
        group=attributes.get("MessageGroupId") if queue.fifo else None,
    )
