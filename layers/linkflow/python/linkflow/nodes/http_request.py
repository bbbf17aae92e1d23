import re
from email.utils import parsedate_to_datetime
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlencode

import msgspec
from pydantic import Field, StringConstraints

from linkflow.language.json import Json
from linkflow.nodes.base import NodeFailed, NodeRequest, NodeResponse, TaskContext, TaskNode, TaskResult

Scalar = str | int | float | bool
HeaderName = Annotated[str, StringConstraints(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]

_WORTH_A_RETRY = frozenset({408, 425, 429, 500, 502, 503, 504})
_EXCERPT = 500


class HttpRequest(TaskNode):
    """Calls an HTTP address. Output: `{"status", "headers", "body"}`; a JSON body is parsed, any other is text.

    A status of 400 or above is the error `http_status` unless `accept_errors` is set; 408, 425, 429 and 5xx are worth a
    retry, after the pause that the answer's Retry-After asks for. Every attempt carries the same `Idempotency-Key`.
    Other errors: `timeout`, `connection`, `refused_address`, `too_large`, `redirects`, `invalid_url`."""

    type: ClassVar[str] = "http_request"
    final: ClassVar[tuple[str, ...]] = ("bad_body", "invalid_url", "redirects", "refused_address", "too_large")

    url: str = Field(title="URL", min_length=1, max_length=8_000)
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] = Field(default="GET", title="Method")
    query: dict[str, Scalar | list[Scalar]] = Field(default_factory=dict, title="Query parameters")
    headers: dict[HeaderName, Scalar] = Field(default_factory=dict, title="Headers")
    body: Json = Field(default=None, title="Body")
    body_type: Literal["json", "form", "text"] = Field(default="json", title="Body type")
    accept_errors: bool = Field(default=False, title="Accept error statuses")
    follow_redirects: bool = Field(default=True, title="Follow redirects")

    async def run(self, context: TaskContext) -> TaskResult:
        response = await context.http.send(self._request(context))
        if response.status >= 400 and not self.accept_errors:
            raise _refused(response, context.now)
        return TaskResult({"status": response.status, "headers": dict(response.headers), "body": _body(response)})

    def _request(self, context: TaskContext) -> NodeRequest:
        content_type, content = self._content()
        own = {name: _text(value) for name, value in self.headers.items()}
        headers = {"Idempotency-Key": context.key, "User-Agent": "LinkFlow", **content_type, **own}
        url = self.url
        if self.query:
            url += ("&" if "?" in url else "?") + urlencode(_texts(self.query), doseq=True)
        return NodeRequest(self.method, url, headers, content, context.remaining, self.follow_redirects)

    def _content(self) -> tuple[dict[str, str], bytes]:
        if "body" not in self.model_fields_set:
            return {}, b""
        if self.body_type == "json":
            return {"Content-Type": "application/json"}, msgspec.json.encode(self.body)
        if self.body_type == "form":
            if not isinstance(self.body, dict):
                raise NodeFailed("bad_body", "A form's body is an object of fields.", retryable=False)
            form = urlencode(_texts(self.body), doseq=True).encode()
            return {"Content-Type": "application/x-www-form-urlencoded"}, form
        text = self.body if isinstance(self.body, str) else msgspec.json.encode(self.body).decode()
        return {"Content-Type": "text/plain; charset=utf-8"}, text.encode()


def _texts(fields: dict[str, Json]) -> dict[str, str | list[str]]:
    return {
        name: [_text(one) for one in value] if isinstance(value, list) else _text(value)
        for name, value in fields.items()
    }


def _text(value: Json) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _body(response: NodeResponse) -> Json:
    kind = response.headers.get("content-type", "")
    if re.match(r"application/(\S+\+)?json", kind) and response.content:
        try:
            return msgspec.json.decode(response.content)
        except msgspec.DecodeError as error:
            message = f"The answer (status {response.status}) says it is JSON, but it is not: {error}."
            raise NodeFailed("bad_json", message) from error
    return response.content.decode(errors="replace")


def _refused(response: NodeResponse, now: float) -> NodeFailed:
    excerpt = response.content[:_EXCERPT].decode(errors="replace")
    return NodeFailed(
        "http_status",
        f"The server answered {response.status}.",
        retryable=response.status in _WORTH_A_RETRY,
        retry_after=_retry_after(response.headers.get("retry-after"), now),
        details={"status": response.status, "body": excerpt},
    )


def _retry_after(header: str | None, now: float) -> float | None:
    """Seconds or a date (RFC 9110 §10.2.3); nonsense is no wish."""
    if header is None:
        return None
    if header.isdigit():
        return min(float(header), 86_400.0)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - now)
    except (ValueError, TypeError):
        return None
