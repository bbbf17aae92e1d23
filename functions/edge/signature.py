"""How callers prove who they are: the secret itself in a header, or a signature made with it over the raw body.

The providers' rules, each from its own documentation:
  GitHub   https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
  Stripe   https://docs.stripe.com/webhooks?verify=verify-manually
  Slack    https://api.slack.com/authentication/verifying-requests-from-slack
  LinkFlow the signature of callbacks out (`runtime/signature.py`)
Everything is compared in constant time. While a secret is being changed, any of those that are still good will do.
"""

import base64
import hmac
from collections.abc import Callable, Sequence
from datetime import datetime

from linkflow.errors import Untrusted
from linkflow.nodes.webhook import Authentication, BasicProof, BearerProof, HeaderProof, HmacProof
from linkflow.runtime.calls import Call

Secrets = Sequence[bytes]


def prove(proof: Authentication, secrets: Secrets, call: Call, now: float) -> None:
    """Raises `Untrusted`, which says what is missing or does not fit."""
    match proof:
        case HeaderProof(header=header):
            _same(call, header, secrets)
        case BasicProof(user=user):
            _basic(user, secrets, call)
        case BearerProof():
            _bearer(secrets, call)
        case HmacProof():
            _PRESETS[proof.preset](proof, secrets, call, now)
        case _:
            return


def secret_header(proof: Authentication) -> str | None:
    """The header that holds the secret itself, lower case, where it is one that others do not use for that."""
    return proof.header.lower() if isinstance(proof, HeaderProof) else None


def _header(call: Call, name: str) -> str:
    value = call.headers.get(name.lower())
    if value is None:
        raise Untrusted(f"The header {name} is missing.")
    return value


def _same(call: Call, name: str, secrets: Secrets) -> None:
    if not _is_one_of(_header(call, name).encode(), secrets):
        raise Untrusted(f"The header {name} does not hold this webhook's secret.")


def _basic(user: str, secrets: Secrets, call: Call) -> None:
    scheme, _, given = _header(call, "Authorization").partition(" ")
    try:
        name, _, password = base64.b64decode(given.strip(), validate=True).partition(b":")
    except ValueError:
        name, password = b"", b""
    known = hmac.compare_digest(name, user.encode())
    if scheme.lower() != "basic" or not (_is_one_of(password, secrets) and known):
        raise Untrusted("Send 'Authorization: Basic …' with this webhook's user, and its secret as the password.")


def _bearer(secrets: Secrets, call: Call) -> None:
    scheme, _, given = _header(call, "Authorization").partition(" ")
    if scheme.lower() != "bearer" or not _is_one_of(given.strip().encode(), secrets):
        raise Untrusted("Send 'Authorization: Bearer …' with this webhook's secret.")


def _is_one_of(given: bytes, good: Sequence[bytes]) -> bool:
    return any(hmac.compare_digest(given, one) for one in good)


# ---------------------------------------------------------------- signatures


def _github(_: HmacProof, secrets: Secrets, call: Call, __: float) -> None:
    name = "X-Hub-Signature-256"
    _signed_by("sha256", [_header(call, name).removeprefix("sha256=")], secrets, call.body, name)


def _stripe(proof: HmacProof, secrets: Secrets, call: Call, now: float) -> None:
    name = "Stripe-Signature"
    pairs = [piece.strip().partition("=") for piece in _header(call, name).split(",")]
    stamp = next((value for key, _, value in pairs if key == "t"), "")
    _recent(_number(stamp), proof.tolerance, now, f"'t' of {name}")
    given = [value for key, _, value in pairs if key == "v1"]
    _signed_by("sha256", given, secrets, stamp.encode() + b"." + call.body, name)


def _slack(proof: HmacProof, secrets: Secrets, call: Call, now: float) -> None:
    name, clock = "X-Slack-Signature", "X-Slack-Request-Timestamp"
    stamp = _header(call, clock)
    _recent(_number(stamp), proof.tolerance, now, clock)
    content = b"v0:" + stamp.encode() + b":" + call.body
    _signed_by("sha256", [_header(call, name).removeprefix("v0=")], secrets, content, name)


def _linkflow(proof: HmacProof, secrets: Secrets, call: Call, now: float) -> None:
    name, clock = "X-LinkFlow-Signature", "X-LinkFlow-Timestamp"
    stamp = _header(call, clock)
    _recent(_moment(stamp), proof.tolerance, now, clock)
    _signed_by("sha256", [_header(call, name)], secrets, stamp.encode() + b"." + call.body, name)


def _custom(proof: HmacProof, secrets: Secrets, call: Call, _: float) -> None:
    given = _header(call, proof.header)
    if not given.startswith(proof.prefix):
        raise Untrusted(f"The header {proof.header} must begin with '{proof.prefix}'.")
    signature = given.removeprefix(proof.prefix)
    _signed_by(proof.algorithm, [signature], secrets, call.body, proof.header, base64_=proof.encoding == "base64")


_PRESETS: dict[str, Callable[[HmacProof, Secrets, Call, float], None]] = {
    "github": _github,
    "stripe": _stripe,
    "slack": _slack,
    "linkflow": _linkflow,
    "custom": _custom,
}


def _signed_by(
    algorithm: str, given: Sequence[str], secrets: Secrets, content: bytes, where: str, *, base64_: bool = False
) -> None:
    digests = [hmac.digest(secret, content, algorithm) for secret in secrets]
    good = [base64.b64encode(digest) if base64_ else digest.hex().encode() for digest in digests]
    if not any(_is_one_of(one.encode(), good) for one in given):
        raise Untrusted(f"The signature in {where} was not made over this very body with this webhook's secret.")


def _recent(stamp: float | None, tolerance: float, now: float, where: str) -> None:
    if stamp is None:
        raise Untrusted(f"{where} is not a time.")
    if abs(now - stamp) > tolerance:
        raise Untrusted(f"{where} is more than {tolerance:g} s away from now; is a clock wrong, or is this a replay?")


def _number(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None


def _moment(text: str) -> float | None:
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed.timestamp() if parsed.tzinfo is not None else None
