"""The guard of `/engine/v1`: who has the installation's secret may act in the workspace they name."""

import re
from dataclasses import dataclass
from typing import Final

from linkflow.errors import BadSignature, Fault, Invalid, NotConfigured
from linkflow.runtime.calls import Call, current_call
from linkflow.runtime.routes import Guard
from linkflow.runtime.signature import SIGNATURE, TIMESTAMP, TOLERANCE, moment_of, proves
from linkflow.runtime.wiring import World

WORKSPACE: Final = "X-LinkFlow-Workspace"
SCHEME: Final = "signature"
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_HOW: Final = f"Send {TIMESTAMP} (RFC 3339, UTC) and {SIGNATURE}: hex HMAC-SHA256 of timestamp + '.' + body."


@dataclass(frozen=True, slots=True)
class Signer:
    """A program that has the secret. `name` is what it is called in books."""

    workspace: str
    name: str = "engine"


def signature_guard(world: World) -> Guard:
    """Raises `NotConfigured` where there is no secret, `BadSignature`, and `Invalid` for a workspace that is none."""

    async def guard(call: Call) -> Signer:
        if not world.secret:
            raise NotConfigured(
                "The engine's door is closed: set LINKFLOW_SECRET to a long random text here and at its callers."
            )
        _check(world.secret, call, world.clock.now())
        workspace = call.headers.get(WORKSPACE.lower(), "")
        if not _NAME.fullmatch(workspace):
            raise Invalid("The request", [Fault(f"$.header.{WORKSPACE}", "missing", "Name the workspace: ws_…")])
        return Signer(workspace)

    return guard


def _check(secret: str, call: Call, now: float) -> None:
    timestamp, given = call.headers.get(TIMESTAMP.lower(), ""), call.headers.get(SIGNATURE.lower(), "")
    if not timestamp or not given:
        raise BadSignature(f"The call is not signed. {_HOW}")
    moment = moment_of(timestamp)
    if moment is None:
        raise BadSignature(f"{TIMESTAMP} is no moment in UTC, such as 2026-01-31T09:30:00Z.")
    if abs(now - moment) > TOLERANCE:
        raise BadSignature(f"{TIMESTAMP} is more than {TOLERANCE:g} s from our clock; sign each call when it is sent.")
    if not proves(secret, timestamp, given, call.body):
        raise BadSignature(f"The signature does not fit the body and the secret. {_HOW}")


def signer() -> Signer:
    """Who makes the call being answered."""
    found = current_call().caller
    if not isinstance(found, Signer):
        raise BadSignature(f"The call is not signed. {_HOW}")
    return found
