"""The API from Python: `Client` in plain code, `AsyncClient` in a loop; the same verbs, records and errors.

Use either as a context. `address` is the server's, without a path; every verb may raise `ApiError`. The environment's
proxies are not asked: the address given is the address called.
"""

import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Self, TypeVar

import httpx

from linkflow.client import calls
from linkflow.client.calls import Call, Parameter, unreachable
from linkflow.client.records import Events, Execution, Json, Outcome, Page, Summary, Workflow

T = TypeVar("T")


class Client:
    def __init__(self, address: str, key: str = "", transport: httpx.BaseTransport | None = None) -> None:
        self._address = address
        self._http = httpx.Client(base_url=address, headers=_headers(key), trust_env=False, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def create_workflow(self, name: str, definition: Json) -> Workflow:
        return self._send(calls.create_workflow(name, definition))

    def workflow(self, identifier: str) -> Workflow:
        return self._send(calls.workflow(identifier))

    def workflows(self, limit: int = 50, cursor: str | None = None) -> Page[Workflow]:
        return self._send(calls.workflows(limit, cursor))

    def all_workflows(self) -> Iterator[Workflow]:
        cursor: str | None = ""
        while cursor is not None:
            page = self.workflows(200, cursor or None)
            yield from page.data
            cursor = page.next_cursor

    def execute(
        self,
        workflow: str,
        given: Json = None,
        wait: float = 0,
        *,
        name: str | None = None,
        idempotency_key: str | None = None,
    ) -> Outcome:
        """Starts the workflow and waits up to `wait` seconds for its end."""
        began = time.monotonic()
        outcome = self._send(calls.execute(workflow, given, wait, name, idempotency_key))
        left = began + wait - time.monotonic()
        if outcome.status != "running" or left <= 0:
            return outcome
        return _outcome(self.finished(outcome.id, left))

    def execution(self, identifier: str) -> Execution:
        return self._send(calls.execution(identifier))

    def finished(self, identifier: str, wait: float) -> Execution:
        """The execution as it is once it is closed, or after `wait` seconds."""
        end, after, closed = time.monotonic() + wait, -1, False
        while not closed and (left := end - time.monotonic()) > 0:
            page = self.events(identifier, after, left)
            after, closed = page.next_after, page.closed
        return self.execution(identifier)

    def executions(self, limit: int = 50, cursor: str | None = None, **filters: Parameter | None) -> Page[Summary]:
        """The newest first, unless `sort` says otherwise; by the filters of the API (`status`, `tag`, `text`, …)."""
        return self._send(calls.executions(limit, cursor, filters))

    def all_executions(self, page: int = 200, **filters: Parameter | None) -> Iterator[Summary]:
        """Page after page; a page may be empty and not the last."""
        cursor: str | None = ""
        while cursor is not None:
            found = self.executions(page, cursor or None, **filters)
            yield from found.data
            cursor = found.next_cursor

    def count(self, **filters: Parameter | None) -> dict[str, int]:
        """How many executions fit, by status."""
        page = self._send(calls.count(None, filters))
        counts = Counter(page.counts)
        while page.next_cursor is not None:
            page = self._send(calls.count(page.next_cursor, filters))
            counts.update(page.counts)
        return dict(counts)

    def events(self, identifier: str, after: int = -1, wait: float = 0) -> Events:
        """What was recorded behind turn `after`; waits for something up to `wait` seconds (25 at most)."""
        return self._send(calls.events(identifier, after, wait))

    def cancel(self, identifier: str, reason: str = "") -> None:
        """Asks it to end, after its handlers for that; asking again ends it at once."""
        self._send(calls.wish(identifier, "cancel", reason))

    def terminate(self, identifier: str, reason: str = "") -> None:
        """Ends it at once, without handlers."""
        self._send(calls.wish(identifier, "terminate", reason))

    def pause(self, identifier: str, reason: str = "") -> None:
        """Nothing new begins until it is resumed."""
        self._send(calls.wish(identifier, "pause", reason))

    def resume(self, identifier: str) -> None:
        self._send(calls.wish(identifier, "resume", ""))

    def reset(self, identifier: str, **place: Parameter) -> str:
        """The id of a new execution that goes on from `turn` (and `index`), or from before the last entry into `node`,
        by the `version` "same" or "newest"."""
        return (self._send(calls.reset(identifier, place))).id

    def call_hook(self, url: str, body: Json) -> Json:
        """A webhook's answer."""
        return self._send(calls.hook(url, body))

    def _send(self, call: Call[T]) -> T:
        try:
            answer = self._http.send(_request(self._http, call))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise unreachable(self._address, error) from error
        return call.read(answer.status_code, answer.content)


class AsyncClient:
    def __init__(self, address: str, key: str = "", transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._address = address
        self._http = httpx.AsyncClient(base_url=address, headers=_headers(key), trust_env=False, transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def create_workflow(self, name: str, definition: Json) -> Workflow:
        return await self._send(calls.create_workflow(name, definition))

    async def workflow(self, identifier: str) -> Workflow:
        return await self._send(calls.workflow(identifier))

    async def workflows(self, limit: int = 50, cursor: str | None = None) -> Page[Workflow]:
        return await self._send(calls.workflows(limit, cursor))

    async def all_workflows(self) -> AsyncIterator[Workflow]:
        cursor: str | None = ""
        while cursor is not None:
            page = await self.workflows(200, cursor or None)
            for one in page.data:
                yield one
            cursor = page.next_cursor

    async def execute(
        self,
        workflow: str,
        given: Json = None,
        wait: float = 0,
        *,
        name: str | None = None,
        idempotency_key: str | None = None,
    ) -> Outcome:
        """Starts the workflow and waits up to `wait` seconds for its end."""
        began = time.monotonic()
        outcome = await self._send(calls.execute(workflow, given, wait, name, idempotency_key))
        left = began + wait - time.monotonic()
        if outcome.status != "running" or left <= 0:
            return outcome
        return _outcome(await self.finished(outcome.id, left))

    async def execution(self, identifier: str) -> Execution:
        return await self._send(calls.execution(identifier))

    async def finished(self, identifier: str, wait: float) -> Execution:
        """The execution as it is once it is closed, or after `wait` seconds."""
        end, after, closed = time.monotonic() + wait, -1, False
        while not closed and (left := end - time.monotonic()) > 0:
            page = await self.events(identifier, after, left)
            after, closed = page.next_after, page.closed
        return await self.execution(identifier)

    async def executions(
        self, limit: int = 50, cursor: str | None = None, **filters: Parameter | None
    ) -> Page[Summary]:
        """The newest first, unless `sort` says otherwise; by the filters of the API (`status`, `tag`, `text`, …)."""
        return await self._send(calls.executions(limit, cursor, filters))

    async def all_executions(self, page: int = 200, **filters: Parameter | None) -> AsyncIterator[Summary]:
        """Page after page; a page may be empty and not the last."""
        cursor: str | None = ""
        while cursor is not None:
            found = await self.executions(page, cursor or None, **filters)
            for one in found.data:
                yield one
            cursor = found.next_cursor

    async def count(self, **filters: Parameter | None) -> dict[str, int]:
        """How many executions fit, by status."""
        page = await self._send(calls.count(None, filters))
        counts = Counter(page.counts)
        while page.next_cursor is not None:
            page = await self._send(calls.count(page.next_cursor, filters))
            counts.update(page.counts)
        return dict(counts)

    async def events(self, identifier: str, after: int = -1, wait: float = 0) -> Events:
        """What was recorded behind turn `after`; waits for something up to `wait` seconds (25 at most)."""
        return await self._send(calls.events(identifier, after, wait))

    async def cancel(self, identifier: str, reason: str = "") -> None:
        """Asks it to end, after its handlers for that; asking again ends it at once."""
        await self._send(calls.wish(identifier, "cancel", reason))

    async def terminate(self, identifier: str, reason: str = "") -> None:
        """Ends it at once, without handlers."""
        await self._send(calls.wish(identifier, "terminate", reason))

    async def pause(self, identifier: str, reason: str = "") -> None:
        """Nothing new begins until it is resumed."""
        await self._send(calls.wish(identifier, "pause", reason))

    async def resume(self, identifier: str) -> None:
        await self._send(calls.wish(identifier, "resume", ""))

    async def reset(self, identifier: str, **place: Parameter) -> str:
        """The id of a new execution that goes on from `turn` (and `index`), or from before the last entry into `node`,
        by the `version` "same" or "newest"."""
        return (await self._send(calls.reset(identifier, place))).id

    async def call_hook(self, url: str, body: Json) -> Json:
        """A webhook's answer."""
        return await self._send(calls.hook(url, body))

    async def _send(self, call: Call[T]) -> T:
        try:
            answer = await self._http.send(_request(self._http, call))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise unreachable(self._address, error) from error
        return call.read(answer.status_code, answer.content)


def _headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


def _request(http: httpx.Client | httpx.AsyncClient, call: Call[T]) -> httpx.Request:
    return http.build_request(
        call.method,
        call.path,
        json=call.body,
        params=dict(call.parameters),
        headers=dict(call.headers),
        timeout=call.timeout,
    )


def _outcome(execution: Execution) -> Outcome:
    return Outcome(id=execution.id, status=execution.status, output=execution.output, error=execution.error)
