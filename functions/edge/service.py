"""Webhooks: a call from outside becomes an execution, and perhaps its answer.

Accepted means written down before the 2xx. A call that repeats another (see `Deduplication`) is given the execution of
the first: the claim for what makes them the same is written before the execution, with its id, so that a process that
dies between both leaves what the next repetition completes. A store that fails is told as 503, so that the caller
comes again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

import msgspec

from functions.edge.gate import let_in
from functions.edge.signature import secret_header
from functions.edge.trigger import trigger
from linkflow import ids
from linkflow.engine.results import await_result, has_answered, is_closed
from linkflow.engine.start import REMEMBERED, Start, start
from linkflow.errors import Fault, Invalid, Maintenance, TryAgain
from linkflow.execution.state import Scope, State
from linkflow.execution.surroundings import ScopeSurroundings
from linkflow.language.graph.template import compile_template
from linkflow.language.json import Json
from linkflow.language.view import EvaluationFailed, View
from linkflow.nodes.webhook import Deduplication, Webhook
from linkflow.runtime.calls import Call
from linkflow.runtime.wiring import World
from linkflow.stores.rates import Rates
from linkflow.stores.records import HookTarget

PATIENCE = 25.0
"""Seconds a caller waits for the result before getting 202: below what gateways bear (29 s)."""
_BY_KEY = Deduplication(by="header", header="Idempotency-Key", window=REMEMBERED)
"""What callers may use where the webhook does not say how calls are told apart."""


@dataclass(frozen=True, slots=True)
class HookAnswer:
    status: int
    body: Json
    headers: Mapping[str, str] = field(default_factory=dict)


async def receive(world: World, rates: Rates, token: str, path: str, call: Call) -> HookAnswer:
    """Raises `NotFound` for an unknown token, `Malformed` for a body that is not the JSON it says, `Invalid` when what
    tells calls apart cannot be evaluated, and what `let_in` raises."""
    if "webhooks" in (await world.engine.switchboard.controls()).features_off:
        raise Maintenance("webhooks are switched off")
    target = await world.engine.workflows.hook(token)
    hook = Webhook.model_validate(target.config)
    await let_in(world, rates, token, target, hook, call)
    workflow = await world.engine.workflows.get(target.workspace, target.workflow)
    given = trigger(call, path, secret_header(hook.authentication))
    rule = hook.deduplicate or _BY_KEY
    same = _what_it_is_known_by(rule, given, call, world.clock.now())
    execution = await start(
        world.engine,
        Start(
            workflow,
            given,
            "webhook",
            target.node,
            idempotency_key=None if same is None else f"hook/{sha256(f'{token}/{same}'.encode()).hexdigest()}",
            execution=(own := world.ids.new(ids.EXECUTION)),
            remembered=rule.window,
            exact=False,
        ),
    )
    if execution != own:
        call.answer_headers["X-LinkFlow-Repeated"] = "true"
    return await _answer(world, target, hook, execution)


def _what_it_is_known_by(rule: Deduplication, given: Json, call: Call, now: float) -> str | None:
    """The text that repetitions of this call have in common. None: it is unlike any other."""
    if rule.by == "body":
        return sha256(call.body).hexdigest()
    if rule.by == "header":
        return call.headers.get((rule.header or "").lower()) or None
    view = View(given, ScopeSurroundings(State(input=given, started_at=now), Scope(0, None, 0, ""), now))
    try:
        value = compile_template(rule.expression).render({"trigger": given, "input": given}, view)
    except EvaluationFailed as failed:
        told = f"What tells calls of this webhook apart cannot be had from this one: {failed.cause}"
        raise Invalid("The call", [Fault("$", "deduplication", told)]) from failed
    return None if value is None else msgspec.json.encode(value, order="sorted").decode()


async def _answer(world: World, target: HookTarget, hook: Webhook, execution: str) -> HookAnswer:
    accepted = HookAnswer(202, {"execution": execution})
    if hook.answer == "at_once":
        return accepted
    enough = has_answered if hook.answer == "respond_node" else is_closed
    try:
        state = await await_result(world.engine, target.workspace, execution, PATIENCE, enough)
    except TryAgain:  # the call was accepted: told to come again, the caller would start a second execution
        return accepted
    return accepted if state is None else _result(state, execution)


def _result(state: State, execution: str) -> HookAnswer:
    if state.response is not None:
        return HookAnswer(state.response["status"], state.response["body"], state.response["headers"])
    if state.status == "succeeded":
        return HookAnswer(200, state.output)
    message = f"The workflow ended as '{state.status}'."
    return HookAnswer(502, {"error": {"code": "workflow_failed", "message": message, "execution": execution}})
