"""The verbs of `callback_delivery`: one attempt, and giving up.

The log is written behind each attempt. A process that dies between the call and the log, or between the log and its
book, calls again; the other side knows the delivery by its id, and what the log says was delivered is not sent again.
"""

import msgspec

from linkflow.engine.engine import Call, Engine, Told
from linkflow.engine.platform.verb import Verb, answered
from linkflow.errors import NotFound
from linkflow.language.json import Json
from linkflow.language.json_text import compact
from linkflow.nodes.base import NodeFailed
from linkflow.ports import HttpFailed, HttpRequest, HttpResponse
from linkflow.stores.callbacks import Attempt, Callback, Delivery

FAILED = "LinkFlow.CallbackFailed"
"""It may go better later."""
USELESS = "LinkFlow.CallbackUseless"
"""Nothing will change by trying again."""
PATIENCE = 30.0
"""Seconds that the other side has for its answer."""
KEPT_OF_ANSWER = 500
"""Characters."""
_LARGEST_ANSWER = 1_000_000
_GONE = 410


class _Given(msgspec.Struct, frozen=True):
    workspace: str
    callback: str
    delivery: str
    execution: str
    event: str
    round: int
    payload: Json


async def deliver(engine: Engine, call: Call) -> Told:
    """One attempt. Raises `NodeFailed`: `FAILED`, or `USELESS` when the callback is gone or will never work."""
    given = msgspec.convert(call.task.arguments, _Given)
    delivery = await _logged(engine, given)
    if delivery is None:
        raise NodeFailed(USELESS, "The log knows nothing of this delivery any more.", retryable=False)
    if delivery.status == "delivered" and delivery.round == given.round:
        return answered(engine, call, {"status": "delivered"})
    try:
        callback = await engine.callbacks.get(given.workspace, given.callback)
    except NotFound as error:
        raise NodeFailed(USELESS, "The callback was deleted.", retryable=False) from error
    secret = await secret_of(engine, callback)
    body = compact(given.payload).encode()
    began = engine.clock.now()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "LinkFlow",
        "X-LinkFlow-Event": given.event,
        "X-LinkFlow-Delivery": given.delivery,
        **engine.platform.sign(secret, body, began),
    }
    request = HttpRequest("POST", callback.url, headers, body, PATIENCE, False, _LARGEST_ANSWER)
    try:
        answer = await engine.http.request(request)
    except HttpFailed as failed:
        attempt = Attempt(began, engine.clock.now() - began, error=f"{failed.code}: {failed.message}")
        await engine.deliveries.attempted(delivery, attempt, "pending")
        raise NodeFailed(
            FAILED if failed.retryable else USELESS, failed.message, retryable=failed.retryable
        ) from failed
    return await _heard(engine, call, delivery, began, answer)


async def _heard(engine: Engine, call: Call, delivery: Delivery, began: float, answer: HttpResponse) -> Told:
    said = answer.content[: KEPT_OF_ANSWER * 4].decode(errors="replace")[:KEPT_OF_ANSWER]
    attempt = Attempt(began, engine.clock.now() - began, answer.status, said)
    if 200 <= answer.status < 300:
        await engine.deliveries.attempted(delivery, attempt, "delivered")
        return answered(engine, call, {"status": "delivered"})
    await engine.deliveries.attempted(delivery, attempt, "pending")
    if answer.status == _GONE:
        raise NodeFailed(USELESS, "The other side answered 410: it wants no more of these.", retryable=False)
    raise NodeFailed(FAILED, f"The other side answered {answer.status}.")


async def bury(engine: Engine, call: Call) -> Told:
    """Write into the log that nothing more is tried, and why."""
    given = msgspec.convert(call.task.arguments, _Given)
    failure = call.task.arguments.get("failure") or {}
    now, reason = engine.clock.now(), str(failure.get("Cause") or failure.get("Error") or "")
    delivery = await _logged(engine, given)
    if delivery is not None:
        await engine.deliveries.close(delivery, "dead", now, reason)
    return answered(engine, call, {"status": "dead"})


async def secret_of(engine: Engine, callback: Callback) -> str:
    """What signs for this callback. Raises `NodeFailed` when there is nothing to sign with."""
    if callback.secret is not None:
        context = secret_context(callback.workspace, callback.id)
        return (await engine.platform.keyring.open(callback.secret, context)).decode()
    if not engine.platform.secret:
        told = "There is nothing to sign with: set LINKFLOW_SECRET, or give the callback a secret of its own."
        raise NodeFailed(FAILED, told)
    return engine.platform.secret


def secret_context(workspace: str, callback: str) -> dict[str, str]:
    return {"workspace": workspace, "callback": callback}


async def _logged(engine: Engine, given: _Given) -> Delivery | None:
    """As the log has it, in the round that is being told now. None: it is forgotten, or was taken away."""
    found = await engine.deliveries.get(given.workspace, given.callback, given.delivery)
    if found is None or found.round >= given.round:
        return found
    return await engine.deliveries.again(found, given.round, engine.clock.now())


VERBS: dict[str, Verb] = {"deliver_callback": deliver, "bury_callback": bury}
