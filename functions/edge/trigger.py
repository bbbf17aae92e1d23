"""A call from outside as the workflow sees it (`trigger.…`): without what proves who calls."""

from urllib.parse import parse_qs

from linkflow.language.json import Json
from linkflow.runtime.calls import Call
from linkflow.runtime.routes import read_json

_PROOFS = frozenset(
    {
        "authorization",
        "cookie",
        "proxy-authorization",
        "x-api-key",
        "x-auth-token",
        "x-amz-security-token",
        "x-gitlab-token",
        "x-hub-signature",
        "x-hub-signature-256",
        "x-linkflow-signature",
        "x-signature",
        "x-slack-signature",
        "stripe-signature",
    }
)
"""Headers that are never kept."""


def trigger(call: Call, path: str, secret_header: str | None) -> Json:
    """Raises `Malformed` for a body that is not the JSON it says."""
    return {
        "method": call.method,
        "path": path,
        "headers": {
            name: value for name, value in call.headers.items() if name not in _PROOFS and name != secret_header
        },
        "query": {
            name: values[0] if len(values) == 1 else values
            for name, values in parse_qs(call.query, keep_blank_values=True).items()
        },
        "body": _body(call),
    }


def _body(call: Call) -> Json:
    if not call.body:
        return None
    if "json" in call.headers.get("content-type", ""):
        return read_json(call.body)
    return call.body.decode(errors="replace")
