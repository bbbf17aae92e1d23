"""The API from Python: synchronous, small, with errors that say what the server said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

Json = Any


@dataclass(frozen=True, slots=True)
class Detail:
    """One fault of what was sent."""

    path: str
    code: str
    message: str


class ApiError(Exception):
    """The server refused, or could not be reached (`status` 0). `details` lists every fault."""

    def __init__(self, status: int, code: str, message: str, details: Sequence[Detail] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = tuple(details)


class Client:
    """Use as a context. `address` is the server's, without a path."""

    def __init__(self, address: str, key: str, timeout: float = 30.0) -> None:
        self._http = httpx.Client(
            base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=timeout, trust_env=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def create_workflow(self, name: str, definition: Json) -> Json:
        return self._call("POST", "/api/v1/workflows", {"name": name, "definition": definition})

    def workflow(self, identifier: str) -> Json:
        return self._call("GET", f"/api/v1/workflows/{identifier}")

    def workflows(self) -> list[Json]:
        return self._all("/api/v1/workflows", {})

    def execute(self, workflow: str, given: Json = None, wait: float = 0) -> Json:
        """The started execution; with `wait` (seconds) the finished one, if it finishes in time."""
        path = f"/api/v1/workflows/{workflow}/execute"
        return self._call("POST", path, {"input": given}, {"wait": wait}, timeout=wait + 30)

    def execution(self, identifier: str) -> Json:
        return self._call("GET", f"/api/v1/executions/{identifier}")

    def executions(self, limit: int = 50, **filters: str) -> list[Json]:
        """Newest first."""
        page = self._call("GET", "/api/v1/executions", parameters={"limit": limit, **filters})
        found: list[Json] = page["data"]
        return found

    def cancel(self, identifier: str, reason: str = "") -> None:
        self._call("POST", f"/api/v1/executions/{identifier}/cancel", {"reason": reason})

    def call_hook(self, url: str, body: Json) -> Json:
        """A webhook's answer."""
        return self._call("POST", url, body)

    def _all(self, path: str, parameters: Mapping[str, Json]) -> list[Json]:
        found: list[Json] = []
        cursor: str | None = None
        while True:
            page = self._call("GET", path, parameters={**parameters, **({"cursor": cursor} if cursor else {})})
            found += page["data"]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    def _call(
        self,
        method: str,
        path: str,
        body: Json = None,
        parameters: Mapping[str, Json] | None = None,
        timeout: float = 60.0,
    ) -> Json:
        try:
            answer = self._http.request(method, path, json=body, params=parameters, timeout=timeout)
        except httpx.HTTPError as error:
            message = f"Cannot reach {self._http.base_url}: {error}. Is the server running (scripts/run)?"
            raise ApiError(0, "unreachable", message) from error
        if answer.status_code >= 400:
            raise _refusal(answer)
        return answer.json() if answer.content else None


def _refusal(answer: httpx.Response) -> ApiError:
    try:
        error = answer.json()["error"]
        details = [Detail(one["path"], one["code"], one["message"]) for one in error.get("details", ())]
        return ApiError(answer.status_code, error["code"], error["message"], details)
    except (ValueError, KeyError, TypeError):
        return ApiError(
            answer.status_code, "unexpected", f"The server answered {answer.status_code}: {answer.text[:200]}"
        )
