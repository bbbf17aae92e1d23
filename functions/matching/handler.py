"""matching: who works on what, and when. Each minute leases that lapsed, limits that somebody waits for and messages
that died are seen to; what isolated workers have to say is brought into the books."""

from collections.abc import Sequence

from functions.matching import service
from functions.matching.schemas import Count, DeadLetterPage, Which
from linkflow.engine.dead_letters import gather, listed, purge, redrive
from linkflow.engine.lease import lapse_all
from linkflow.engine.slots import look_after
from linkflow.messages import OUTCOMES
from linkflow.ports import Message
from linkflow.runtime.functions import Function, HttpRoutes, QueueTrigger, Schedule
from linkflow.runtime.parameters import Cursor, Limit
from linkflow.runtime.routes import Routes
from linkflow.runtime.signed import SCHEME, signature_guard, signer
from linkflow.runtime.task_queues import task_queue_routes
from linkflow.runtime.wiring import World

_BASE = "/engine/v1"
_TAGS = ["dead letters"]
GATHER_EVERY = 5
"""Minutes between two looks into the queues' own dead letters: each look is a request for every queue."""


def functions(world: World) -> Sequence[Function]:
    async def hear(message: Message) -> None:
        await service.hear(world, message.body)

    async def sweep(now: float) -> None:
        await lapse_all(world.engine, now)
        await look_after(world.engine, now)
        if now // 60 % GATHER_EVERY == 0:
            await gather(world.engine)

    routes = Routes(signature_guard(world), SCHEME)
    task_queue_routes(routes, world, _BASE, lambda: signer().workspace)
    _dead_letters(routes, world)
    return [
        Function("matching_http", "matching", HttpRoutes(routes)),
        Function("matching_outcomes", "matching", QueueTrigger(OUTCOMES, hear)),
        Function("matching_sweep", "matching", Schedule(60, sweep)),
    ]


def _dead_letters(routes: Routes, world: World) -> None:
    @routes.get(f"{_BASE}/dead-letters", tags=_TAGS, summary="Messages that were given up, and why")
    async def list_dead_letters(
        limit: Limit = 50, cursor: Cursor = None, queue: str | None = None, everywhere: bool = False
    ) -> DeadLetterPage:
        wanted = service.wanted(signer().workspace, Which(queue=queue, everywhere=everywhere))
        return service.page(*await listed(world.engine, wanted, limit, cursor))

    @routes.post(f"{_BASE}/dead-letters/redrive", tags=_TAGS, summary="Send dead letters again")
    async def redrive_dead_letters(body: Which) -> Count:
        return Count(count=await redrive(world.engine, service.wanted(signer().workspace, body)))

    @routes.post(f"{_BASE}/dead-letters/purge", tags=_TAGS, summary="Forget dead letters")
    async def purge_dead_letters(body: Which) -> Count:
        return Count(count=await purge(world.engine, service.wanted(signer().workspace, body)))
