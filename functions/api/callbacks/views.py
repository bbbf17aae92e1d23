"""Callbacks and their log as callers see them."""

from functions.api.callbacks.schemas import AttemptView, CallbackView, DeliveryView
from functions.api.callbacks.service import Shown
from linkflow.runtime.views import time_view
from linkflow.stores.callbacks import Attempt, Callback


def callback_view(callback: Callback, secret: str | None = None) -> CallbackView:
    return CallbackView(
        id=callback.id,
        url=callback.url,
        on=list(callback.on),
        workflow=callback.workflow or None,
        name=callback.name,
        signed_with="installation" if callback.secret is None else "own",
        in_definition=callback.drawn,
        created_at=time_view(callback.created_at),
        updated_at=time_view(callback.updated_at),
        secret=secret,
    )


def delivery_view(shown: Shown) -> DeliveryView:
    delivery = shown.delivery
    return DeliveryView(
        id=delivery.id,
        execution=delivery.execution,
        event=delivery.event,
        status=delivery.status,
        created_at=time_view(delivery.created_at),
        closed_at=time_view(delivery.closed_at),
        next_try_at=time_view(shown.next_try),
        tries=delivery.tries,
        reason=delivery.reason,
        attempts=[_attempt_view(attempt) for attempt in delivery.attempts],
    )


def _attempt_view(attempt: Attempt) -> AttemptView:
    return AttemptView(
        at=time_view(attempt.at),
        latency_ms=round(attempt.latency * 1_000, 3),
        status=attempt.status,
        answer=attempt.answer,
        error=attempt.error,
    )
