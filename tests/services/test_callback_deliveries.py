"""Telling callbacks over hours, and whatever dies meanwhile: on a clock that jumps, with a receiver in memory."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from functions.api.callbacks.schemas import CreateCallback
from functions.api.callbacks.service import create
from linkflow import ids
from linkflow.adapters.clock import VirtualClock, timeless_loop
from linkflow.engine.closed import tell_listeners
from linkflow.engine.platform.notices import process_id, wanted
from linkflow.engine.platform.system import SYSTEM
from linkflow.engine.start import Start, start
from linkflow.engine.visit import visit
from linkflow.errors import Conflict
from linkflow.execution.events import Part
from linkflow.execution.state import State
from linkflow.messages import CLOSED, LANE, Closed
from linkflow.ports import HttpFailed, HttpRequest, HttpResponse
from linkflow.runtime.settings import Settings
from linkflow.runtime.signature import proves
from linkflow.runtime.wiring import World, in_memory
from linkflow.stores.callbacks import Attempt, Callback, Delivery
from linkflow.stores.records import WorkflowVersion
from tests.services.dying import Died, Lifetime, over
from tests.services.ticking import WORKSPACE, Host, moment, workflow

SECRET = "the-installation's-secret"


class Receiver:
    """An Http port behind which somebody answers by a plan: a status, or None for no answer; the last one stays."""

    def __init__(self, *plan: int | None) -> None:
        self.plan = list(plan)
        self.seen: list[HttpRequest] = []

    async def request(self, request: HttpRequest) -> HttpResponse:
        self.seen.append(request)
        status = self.plan.pop(0) if len(self.plan) > 1 else self.plan[0]
        if status is None:
            raise HttpFailed("connection", "Nobody is there.", retryable=True)
        return HttpResponse(status, {}, b"x" * 5_000)

    async def close(self) -> None:
        """Nothing is open."""


def play(receiver: Receiver, script: Callable[[World], Awaitable[None]]) -> None:
    clock = VirtualClock(moment("2026-11-28T10:00:00Z"))

    async def whole() -> None:
        world = in_memory(Settings(secret=SECRET), clock)
        world = replace(world, engine=replace(world.engine, http=receiver))
        await script(world)
        await world.close()

    with asyncio.Runner(loop_factory=lambda: timeless_loop(clock)) as runner:
        runner.run(whole())


async def told(world: World, *events: str) -> str:
    """The id of a callback of the workspace."""
    now = world.clock.now()
    identifier = world.ids.new(ids.CALLBACK)
    await world.engine.callbacks.create(Callback(identifier, WORKSPACE, "https://x/hear", events, now, now))
    return identifier


async def execution(world: World) -> str:
    made = await world.engine.workflows.get(WORKSPACE, await workflow(world))
    return await start(world.engine, Start(made, {"n": 1}))


async def logged(world: World, callback: str) -> list[Delivery]:
    found, _ = await world.engine.deliveries.listed(WORKSPACE, callback, 100, None)
    return list(found)


def test_a_receiver_that_is_away_for_hours_is_told_in_the_end_by_the_same_body_freshly_signed() -> None:
    receiver = Receiver(None, 500, 503, 404, 302, 429, None, 500, 200)

    async def script(world: World) -> None:
        callback = await told(world, "completed")
        await execution(world)
        await Host(world).run(86_400)
        (delivery,) = await logged(world, callback)
        assert (delivery.status, delivery.tries) == ("delivered", 9)
        assert [one.status for one in delivery.attempts] == [None, 500, 503, 404, 302, 429, None, 500, 200]
        assert len(delivery.attempts[1].answer) == 500
        pauses = [b.at - a.at for a, b in zip(delivery.attempts, delivery.attempts[1:], strict=False)]
        assert max(pauses) > 600
        assert all(0 <= pause <= 14_401 for pause in pauses)
        assert len({request.content for request in receiver.seen}) == 1
        assert len({request.headers["X-LinkFlow-Delivery"] for request in receiver.seen}) == 1
        assert not any(request.follow_redirects for request in receiver.seen)
        for request in receiver.seen:
            stamp, given = request.headers["X-LinkFlow-Timestamp"], request.headers["X-LinkFlow-Signature"]
            assert proves(SECRET, stamp, given, request.content)
        assert len({request.headers["X-LinkFlow-Timestamp"] for request in receiver.seen}) == 9

    play(receiver, script)


def test_a_failure_that_is_heard_of_late_undoes_no_delivery() -> None:
    """Its process had slept while another one tried again, and was heard."""

    async def script(world: World) -> None:
        callback = await told(world, "completed")
        await execution(world)
        await Host(world).run(60)
        (delivery,) = await logged(world, callback)
        late = Attempt(world.clock.now(), 1.0, 503, "later")
        await world.engine.deliveries.attempted(delivery, late, "pending")
        (found,) = await logged(world, callback)
        assert (found.status, found.tries, found.closed_at) == ("delivered", 2, delivery.closed_at)

    play(Receiver(200), script)


def test_what_nobody_takes_is_dead_after_hours_and_stays_in_the_log() -> None:
    async def script(world: World) -> None:
        callback = await told(world, "completed")
        await execution(world)
        began = world.clock.now()
        await Host(world).run(3 * 86_400)
        (delivery,) = await logged(world, callback)
        assert (delivery.status, delivery.tries) == ("dead", 15)
        assert "500" in delivery.reason
        assert delivery.closed_at is not None
        assert 3_600 < delivery.closed_at - began < 2 * 86_400

    play(Receiver(500), script)


def test_a_callback_that_is_deleted_is_told_no_more() -> None:
    receiver = Receiver(500)

    async def script(world: World) -> None:
        callback = await told(world, "completed")
        await execution(world)
        await Host(world).run(60)
        await world.engine.callbacks.delete(WORKSPACE, callback)
        before = len(receiver.seen)
        await Host(world).run(86_400)
        assert len(receiver.seen) == before
        (delivery,) = await logged(world, callback)
        assert (delivery.status, delivery.reason) == ("dead", "The callback was deleted.")

    play(receiver, script)


def test_however_often_a_message_comes_each_callback_is_told_once() -> None:
    receiver = Receiver(200)

    async def script(world: World) -> None:
        for _ in range(3):
            await told(world, "completed")
        begun = await execution(world)
        await Host(world).run(30)
        for _ in range(5):
            await tell_listeners(world.engine, Closed(WORKSPACE, begun))
        await Host(world).run(600)
        assert len(receiver.seen) == 3
        assert len({request.headers["X-LinkFlow-Delivery"] for request in receiver.seen}) == 3

    play(receiver, script)


def test_executions_nobody_wants_to_hear_of_send_no_message() -> None:
    async def script(world: World) -> None:
        await told(world, "failed")
        begun = await execution(world)
        await visit(world.engine, WORKSPACE, begun)
        assert await world.queue.depth(CLOSED.name) == 0
        assert await world.queue.depth("callbacks") == 0
        assert await world.queue.depth(LANE.name) == 1

    play(Receiver(200), script)


class Mortal(Lifetime):
    """A process that dies as a whole, the task that made the call and the visit around it."""

    visit: asyncio.Task[Any]

    def before(self) -> None:
        self._die(super().before)

    def behind(self) -> None:
        self._die(super().behind)

    def _die(self, count: Callable[[], None]) -> None:
        try:
            count()
        except Died:
            self.visit.cancel()
            raise asyncio.CancelledError from None


async def finished(world: World, process: str) -> bool:
    book = await world.engine.books.load(SYSTEM, process)
    return book is not None and book.state.closed


async def test_without_anything_to_sign_with_a_callback_needs_a_secret_of_its_own() -> None:
    world = in_memory(Settings(), VirtualClock())
    with pytest.raises(Conflict, match="LINKFLOW_SECRET"):
        await create(world, WORKSPACE, CreateCallback(url="https://x/hear"))
    callback, secret = await create(world, WORKSPACE, CreateCallback(url="https://x/hear", own_secret=True))
    assert secret
    assert callback.secret
    await world.close()


def test_parts_of_maps_and_the_platforms_own_executions_are_told_to_nobody() -> None:
    async def script(world: World) -> None:
        await told(world, "completed")
        program = world.engine.programs.of(await _version(world))
        whole = State(workspace=WORKSPACE)
        part = State(workspace=WORKSPACE, part=Part("", "each", 0))
        assert await wanted(world.engine, WORKSPACE, program, whole, "completed")
        assert not await wanted(world.engine, WORKSPACE, program, part, "completed")
        assert not await wanted(world.engine, SYSTEM, program, whole, "completed")

    play(Receiver(200), script)


async def _version(world: World) -> WorkflowVersion:
    made = await world.engine.workflows.get(WORKSPACE, await workflow(world))
    return await world.engine.workflows.current(made)


@pytest.mark.parametrize("after", [False, True])
def test_a_delivery_whose_process_dies_at_every_call_goes_on_and_is_told_of_once_in_the_log(after: bool) -> None:
    """Between the call and the log nobody can know; then the same delivery is called with again, under its id."""
    receiver = Receiver(500, 200)

    async def script(world: World) -> None:
        callback = await told(world, "completed")
        begun = await execution(world)
        await visit(world.engine, WORKSPACE, begun)
        await tell_listeners(world.engine, Closed(WORKSPACE, begun))
        (delivery,) = await logged(world, callback)
        process = process_id(delivery.id, 1)
        calls = 0
        while not await finished(world, process):
            life = Mortal(calls, after=after)
            life.visit = asyncio.create_task(visit(replace(over(world, life), http=receiver), SYSTEM, process))
            await asyncio.wait([life.visit])
            calls += life.visit.cancelled()
            await world.clock.sleep(600)
        (delivery,) = await logged(world, callback)
        assert delivery.status == "delivered"
        assert len({one.headers["X-LinkFlow-Delivery"] for one in receiver.seen}) == 1
        assert calls >= 5

    play(receiver, script)
