"""Each call of the API as data: what is sent, and what its answer means. Both clients send these."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import quote

import msgspec

from linkflow.client.records import Begun, Count, Detail, Events, Execution, Json, Outcome, Page, Summary, Workflow

T = TypeVar("T")
LONGEST_WAIT = 25.0
"""Seconds to let the server hold one call: gateways bear little more (29 s), so a longer wait is several calls."""
_PATIENCE = 30.0
_API = "/api/v1"
Parameter = str | float | Sequence[str]
Filters = Mapping[str, Parameter | None]
"""What `GET /api/v1/executions` takes, by name; None is not sent."""


class ApiError(Exception):
    """The server refused, or could not be reached (`status` 0, code `unreachable`). `details` lists every fault."""

    def __init__(self, status: int, code: str, message: str, details: tuple[Detail, ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """`timeout` is in seconds. An answer of status 400 or above is an `ApiError`."""

    answer: type[T]
    method: str
    path: str
    body: Json = None
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float = _PATIENCE

    def read(self, status: int, content: bytes) -> T:
        """What the server said. Raises `ApiError`."""
        if status >= 400:
            raise refusal(status, content)
        try:
            return msgspec.json.decode(content or b"null", type=self.answer)
        except msgspec.DecodeError as error:
            raise ApiError(status, "unexpected", f"This is not what LinkFlow answers: {error}.") from error


class _Refusal(msgspec.Struct, frozen=True):
    code: str
    message: str
    details: tuple[Detail, ...] = ()


class _Refused(msgspec.Struct, frozen=True):
    error: _Refusal


def refusal(status: int, content: bytes) -> ApiError:
    try:
        error = msgspec.json.decode(content, type=_Refused).error
    except msgspec.DecodeError:
        text = content[:200].decode(errors="replace")
        return ApiError(status, "unexpected", f"The server answered {status}: {text}")
    return ApiError(status, error.code, error.message, error.details)


def unreachable(address: str, error: Exception) -> ApiError:
    return ApiError(0, "unreachable", f"Cannot reach {address}: {error}. Does the server run (linkflow up)?")


def create_workflow(name: str, definition: Json) -> Call[Workflow]:
    return Call(Workflow, "POST", f"{_API}/workflows", {"name": name, "definition": definition})


def workflow(identifier: str) -> Call[Workflow]:
    return Call(Workflow, "GET", f"{_API}/workflows/{_segment(identifier)}")


def workflows(limit: int, cursor: str | None) -> Call[Page[Workflow]]:
    return Call(Page[Workflow], "GET", f"{_API}/workflows", parameters=_given(limit=limit, cursor=cursor))


def execute(identifier: str, given: Json, wait: float, name: str | None, idempotency_key: str | None) -> Call[Outcome]:
    path = f"{_API}/workflows/{_segment(identifier)}/execute"
    body = {"input": given, "name": name} if name else {"input": given}
    headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
    held = min(wait, LONGEST_WAIT)
    return Call(Outcome, "POST", path, body, {"wait": held} if held else {}, headers, held + _PATIENCE)


def execution(identifier: str) -> Call[Execution]:
    return Call(Execution, "GET", f"{_API}/executions/{_segment(identifier)}")


def executions(limit: int, cursor: str | None, filters: Filters) -> Call[Page[Summary]]:
    parameters = _given(limit=limit, cursor=cursor, **filters)
    return Call(Page[Summary], "GET", f"{_API}/executions", parameters=parameters)


def count(cursor: str | None, filters: Filters) -> Call[Count]:
    return Call(Count, "GET", f"{_API}/executions/count", parameters=_given(cursor=cursor, **filters))


def events(identifier: str, after: int, wait: float) -> Call[Events]:
    held = max(0.0, min(wait, LONGEST_WAIT))
    path = f"{_API}/executions/{_segment(identifier)}/events"
    return Call(Events, "GET", path, parameters={"after": after, "wait": held, "limit": 200}, timeout=held + _PATIENCE)


def wish(identifier: str, verb: str, reason: str) -> Call[object]:
    """`verb`: cancel, terminate, pause or resume (which needs no reason)."""
    body = None if verb == "resume" else {"reason": reason}
    return Call(object, "POST", f"{_API}/executions/{_segment(identifier)}/{verb}", body)


def reset(identifier: str, place: Mapping[str, Json]) -> Call[Begun]:
    return Call(Begun, "POST", f"{_API}/executions/{_segment(identifier)}/reset", dict(place))


def hook(url: str, body: Json) -> Call[object]:
    """A webhook's answer; it may be held as long as the server bears."""
    return Call(object, "POST", url, body, timeout=LONGEST_WAIT + _PATIENCE)


def _segment(identifier: str) -> str:
    return quote(identifier, safe="")


def _given(**parameters: Parameter | None) -> dict[str, Parameter]:
    return {name: value for name, value in parameters.items() if value is not None}
