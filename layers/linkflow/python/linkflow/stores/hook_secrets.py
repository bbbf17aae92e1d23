"""The secrets of webhooks: sealed beside where the webhook's token leads, opened where a call is proved."""

from dataclasses import dataclass

from linkflow.ports import KeyRing
from linkflow.stores.records import HookSecret, HookTarget


@dataclass(frozen=True, slots=True)
class HookSecrets:
    keyring: KeyRing

    async def seal(self, workspace: str, token: str, secret: str) -> HookSecret:
        return HookSecret(await self.keyring.seal(secret.encode(), _context(workspace, token)))

    async def opened(self, token: str, target: HookTarget, now: float) -> list[bytes]:
        """Those that are good at the moment `now`."""
        context = _context(target.workspace, token)
        good = [one for one in target.secrets if one.until is None or one.until > now]
        return [await self.keyring.open(one.sealed, context) for one in good]


def _context(workspace: str, token: str) -> dict[str, str]:
    return {"workspace": workspace, "hook": token}
