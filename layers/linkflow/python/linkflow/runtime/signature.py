"""Signatures between LinkFlow and other programs: calls into `/engine/v1` and callbacks out carry the same two headers.

    X-LinkFlow-Timestamp   RFC 3339, UTC
    X-LinkFlow-Signature   hex HMAC-SHA256 of timestamp + "." + raw body, with the installation's secret

What is signed is the moment and the body, not the method and the path: whoever can read a signed call (it travels
under TLS) could send the same body again, to any route, for as long as the moment is believed (`TOLERANCE`). So verbs
bear being repeated, those that begin something take an `Idempotency-Key`, and an execution is named in the path only
where the verb does no more than the caller may do to any execution of the workspace.
"""

from datetime import UTC, datetime
from hashlib import sha256
from hmac import compare_digest, new

TIMESTAMP = "X-LinkFlow-Timestamp"
SIGNATURE = "X-LinkFlow-Signature"
TOLERANCE = 300.0
"""Seconds that the two clocks may be apart, the way included."""


def signature(secret: str, timestamp: str, body: bytes) -> str:
    return new(secret.encode(), timestamp.encode() + b"." + body, sha256).hexdigest()


def signed(secret: str, body: bytes, now: float) -> dict[str, str]:
    """The headers for `body`, sent at the moment `now`."""
    timestamp = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {TIMESTAMP: timestamp, SIGNATURE: signature(secret, timestamp, body)}


def proves(secret: str, timestamp: str, given: str, body: bytes) -> bool:
    """Whether `given` was made by somebody who has the secret. Takes as long for any wrong one."""
    return compare_digest(signature(secret, timestamp, body).encode(), given.strip().lower().encode())


def moment_of(timestamp: str) -> float | None:
    """Seconds since 1970; None for a text that is no moment with a time zone."""
    try:
        moment = datetime.fromisoformat(timestamp.strip())
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment.timestamp()
