"""Routes of callbacks: who is told of executions, and how that went."""

from functions.api.auth.guard import caller
from functions.api.callbacks import service
from functions.api.callbacks.schemas import (
    CallbackList,
    CallbackView,
    ChangeCallback,
    CreateCallback,
    DeliveryPage,
    DeliveryView,
    RotateCallbackSecret,
)
from functions.api.callbacks.views import callback_view, delivery_view
from linkflow.runtime.parameters import Cursor, Limit
from linkflow.runtime.routes import Routes
from linkflow.runtime.wiring import World

_TAGS = ["callbacks"]


def callback_routes(routes: Routes, world: World) -> None:
    @routes.post("/api/v1/callbacks", tags=_TAGS, summary="Have an address told of executions", status_code=201)
    async def create_callback(body: CreateCallback) -> CallbackView:
        return callback_view(*await service.create(world, caller().workspace, body))

    @routes.get("/api/v1/callbacks", tags=_TAGS, summary="List callbacks, those in definitions included")
    async def list_callbacks() -> CallbackList:
        found = await world.engine.callbacks.listed(caller().workspace)
        return CallbackList(data=[callback_view(one) for one in found])

    @routes.get("/api/v1/callbacks/<callback_id>", tags=_TAGS, summary="One callback")
    async def get_callback(callback_id: str) -> CallbackView:
        return callback_view(await world.engine.callbacks.get(caller().workspace, callback_id))

    @routes.patch("/api/v1/callbacks/<callback_id>", tags=_TAGS, summary="Change a callback")
    async def change_callback(callback_id: str, body: ChangeCallback) -> CallbackView:
        return callback_view(await service.change(world, caller().workspace, callback_id, body))

    @routes.delete("/api/v1/callbacks/<callback_id>", tags=_TAGS, summary="Delete a callback", status_code=204)
    async def delete_callback(callback_id: str) -> None:
        await service.delete(world, caller().workspace, callback_id)

    @routes.post("/api/v1/callbacks/<callback_id>/secret", tags=_TAGS, summary="Give a callback a new secret")
    async def rotate_callback_secret(callback_id: str, body: RotateCallbackSecret) -> CallbackView:
        return callback_view(*await service.rotate(world, caller().workspace, callback_id, body.secret))

    @routes.get("/api/v1/callbacks/<callback_id>/deliveries", tags=_TAGS, summary="What it was told, and how that went")
    async def list_deliveries(callback_id: str, limit: Limit = 50, cursor: Cursor = None) -> DeliveryPage:
        found, following = await service.deliveries(world, caller().workspace, callback_id, limit, cursor)
        return DeliveryPage(data=[delivery_view(one) for one in found], next_cursor=following)

    @routes.post(
        "/api/v1/callbacks/<callback_id>/deliveries/<delivery_id>/redeliver",
        tags=_TAGS,
        summary="Tell it once more",
        status_code=202,
    )
    async def redeliver(callback_id: str, delivery_id: str) -> DeliveryView:
        return delivery_view(await service.redeliver(world, caller().workspace, callback_id, delivery_id))
