"""Events from elsewhere: told to the workflows that start with them, and to the executions that wait for them."""

from functions.api.auth.guard import caller
from functions.api.events.schemas import CloudEvent, EventAccepted
from linkflow.engine.publish import publish
from linkflow.runtime.routes import Routes
from linkflow.runtime.wiring import World


def event_routes(routes: Routes, world: World) -> None:
    @routes.post("/api/v1/events", tags=["events"], summary="Publish an event (CloudEvents 1.0)", status_code=202)
    async def publish_event(body: CloudEvent) -> EventAccepted:
        told = await publish(world.engine, caller().workspace, body.model_dump(exclude_unset=True))
        return EventAccepted(
            started=list(told.started), ended=list(told.ended), repeated=told.repeated, queued=told.queued
        )
