"""The one shape of an error: `{"error": {"code", "message", "details": [{"path", "code", "message"}], "request_id"}}`.

Refusals say what to change, all faults at once. What is our fault says nothing but the request's id, under which the
log has the rest.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestUnsupportedContentType, RequestValidationError

from linkflow.errors import Fault, Invalid, LinkFlowError, Refused, TryAgain

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def refusal(error: Exception, request_id: str) -> Answer:
    """What the caller is told about `error`. Logs what is not the caller's to mend."""
    if isinstance(error, RequestValidationError):
        return refusal(Invalid("The request", [_fault(one) for one in error.errors()]), request_id)
    if isinstance(error, RequestUnsupportedContentType):
        return answer(415, "unsupported_media_type", "Send JSON, with 'Content-Type: application/json'.", request_id)
    if isinstance(error, Refused | TryAgain):
        if isinstance(error, TryAgain):
            _log.warning("try_again", extra={"request_id": request_id, "reason": error.message})
        return answer(error.status, error.code, error.message, request_id, details=error.details, headers=error.headers)
    _log.error("request_failed", exc_info=error, extra={"request_id": request_id})
    told = "Something went wrong on our side; the request id leads us to it."
    return answer(500, LinkFlowError.code, told, request_id)


def no_route(method: str, path: str, allowed: Sequence[str], request_id: str) -> Answer:
    """404 when nothing lives at `path`, 405 when something does, but not for `method`."""
    if not allowed:
        return answer(404, "not_found", f"There is nothing at {path}; /docs lists what there is.", request_id)
    allow = ", ".join(sorted(allowed))
    told = f"{path} does not take {method}, but {allow}."
    return answer(405, "method_not_allowed", told, request_id, headers={"Allow": allow})


def answer(
    status: int,
    code: str,
    message: str,
    request_id: str,
    *,
    details: Sequence[Fault] = (),
    headers: Mapping[str, str] | None = None,
) -> Answer:
    error = {"code": code, "message": message, "details": details, "request_id": request_id}
    return Answer(status, msgspec.json.encode({"error": error}), headers or {})


def _fault(error: Mapping[str, Any]) -> Fault:
    return Fault(json_path(_as_sent(error["loc"])), str(error["type"]), str(error["msg"]))


def _as_sent(location: Sequence[str | int]) -> Sequence[str | int]:
    """Query parameters that a handler takes together, as one schema, were sent without its name."""
    if location[0] == "query" and len(location) > 2 and isinstance(location[2], str):
        return [location[0], *location[2:]]
    return location


def json_path(location: Sequence[str | int]) -> str:
    """`("body", "nodes", 2, "url")` as `$.body.nodes[2].url`."""
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
