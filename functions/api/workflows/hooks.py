"""The webhooks of workflows: their addresses and secrets, made with the workflow and changed on their own.

A secret is told once, in the answer to what made it; what is stored is sealed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace
from pydantic import SecretStr

from linkflow.errors import Conflict, Fault, Invalid, NotFound
from linkflow.language.graph.definition import NodeDefinition
from linkflow.nodes.webhook import Webhook
from linkflow.ports import Ids, KeyRing
from linkflow.runtime.wiring import World
from linkflow.stores.hook_secrets import HookSecrets
from linkflow.stores.records import Hook, HookSecret, HookTarget, Workflow

SECRETS = 5
"""So many secrets of one webhook may be good at a time; the oldest goes first."""


@dataclass(frozen=True, slots=True)
class MadeHook:
    hook: Hook
    config: dict[str, Any]
    secret: str | None

    async def target(self, keyring: KeyRing, workflow: Workflow) -> HookTarget:
        sealed = await _sealed(keyring, workflow.workspace, self.hook.token, self.secret)
        return HookTarget(workflow.workspace, workflow.id, self.hook.node, self.config, sealed)


def hooks_of(names: Ids, nodes: Sequence[NodeDefinition], given: Mapping[str, SecretStr]) -> list[MadeHook]:
    """A webhook for each node of that type, with the secret given for it, or a new one. Raises `Invalid` for secrets
    that no webhook asks for."""
    hooks = {node.id: Webhook.model_validate(node.config) for node in nodes if node.type == Webhook.type}
    strange = [
        Fault(f"$.secrets.{name}", "no_such_secret", f"No webhook node '{name}' asks its callers for a proof.")
        for name in given
        if name not in hooks or not hooks[name].secretive
    ]
    if strange:
        raise Invalid("The request", strange)
    configs = {node.id: node.config for node in nodes}
    texts = {name: secret.get_secret_value() for name, secret in given.items()}
    return [
        MadeHook(
            Hook(name, names.secret()),
            configs[name],
            (texts.get(name) or names.secret()) if hook.secretive else None,
        )
        for name, hook in hooks.items()
    ]


async def rotate(
    world: World, workspace: str, workflow_id: str, node: str, given: SecretStr | None, keep_old: float
) -> tuple[Hook, str]:
    """The webhook with its new secret; those before it are good for `keep_old` seconds more. Raises `NotFound`, and
    `Conflict` for a webhook that asks for no proof."""
    workflow = await world.engine.workflows.get(workspace, workflow_id)
    hook = next((one for one in workflow.hooks if one.node == node), None)
    if hook is None:
        raise NotFound("webhook", node)
    secret = given.get_secret_value() if given else world.ids.secret()
    fresh = await _sealed(world.keyring, workspace, hook.token, secret)
    now = world.clock.now()

    def changed(target: HookTarget) -> HookTarget:
        if not Webhook.model_validate(target.config).secretive:
            raise Conflict("This webhook asks its callers for no proof; set the node's 'authentication' first.")
        until = now + keep_old
        ending = [replace(one, until=until if one.until is None else min(one.until, until)) for one in target.secrets]
        good = [one for one in ending if one.until is not None and one.until > now]
        return replace(target, secrets=(*fresh, *good)[:SECRETS])

    await world.engine.workflows.change_hook(hook.token, changed)
    return hook, secret


async def _sealed(keyring: KeyRing, workspace: str, token: str, secret: str | None) -> tuple[HookSecret, ...]:
    return () if secret is None else (await HookSecrets(keyring).seal(workspace, token, secret),)
