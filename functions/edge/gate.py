"""Who and what a webhook lets in. In this order: address, method, size, proof, rate; so that nobody without the secret
uses up the rate, and that a proof is over a body of bearable size."""

from ipaddress import IPv6Address, ip_address, ip_network

from functions.edge.signature import prove
from linkflow.errors import Barred, LongHeaders, RateLimited, TooLarge, WrongMethod
from linkflow.nodes.webhook import Rate, Webhook
from linkflow.runtime.calls import Call
from linkflow.runtime.wiring import World
from linkflow.stores.hook_secrets import HookSecrets
from linkflow.stores.rates import Rates
from linkflow.stores.records import HookTarget

MOST_HEADERS = 32 * 1_024
"""Bytes of headers that are kept with a call."""


async def let_in(world: World, rates: Rates, token: str, target: HookTarget, hook: Webhook, call: Call) -> None:
    """Raises `Barred`, `WrongMethod`, `TooLarge`, `LongHeaders`, `Untrusted`, `RateLimited`."""
    _from_allowed(hook, call.client)
    if call.method not in hook.methods:
        raise WrongMethod(call.method, ", ".join(hook.methods))
    _bearable(hook, call)
    if hook.secretive:
        secrets = await HookSecrets(world.keyring).opened(token, target, world.clock.now())
        prove(hook.authentication, secrets, call, world.clock.now())
    if hook.rate is not None:
        await _in_time(world, rates, token, hook.rate, call)


def _from_allowed(hook: Webhook, client: str) -> None:
    if not hook.allow_from:
        return
    try:
        address = ip_address(client.partition("%")[0])
    except ValueError:
        raise Barred(client) from None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if not any(address in ip_network(network) for network in hook.allow_from):
        raise Barred(client)


def _bearable(hook: Webhook, call: Call) -> None:
    if hook.max_body is not None and len(call.body) > hook.max_body:
        raise TooLarge("The body", len(call.body), hook.max_body)
    size = sum(len(name) + len(value) for name, value in call.headers.items())
    if size > MOST_HEADERS:
        raise LongHeaders(size, MOST_HEADERS)


async def _in_time(world: World, rates: Rates, token: str, rate: Rate, call: Call) -> None:
    now = world.clock.now()
    taken = await rates.take(f"hook/{token}", rate.calls, rate.seconds, now)
    call.answer_headers |= {
        "X-RateLimit-Limit": str(rate.calls),
        "X-RateLimit-Remaining": str(taken.left),
        "X-RateLimit-Reset": str(int(taken.resets_at)),
    }
    if not taken.granted:
        raise RateLimited("calls of this webhook", max(1, int(taken.resets_at - now + 0.999)))
