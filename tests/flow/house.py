"""A caller in front of the house's doors."""

from types import TracebackType
from typing import Any, Self

import httpx

from linkflow.runtime.hosts.embedded import Embedded
from linkflow.runtime.wiring import World

Json = Any


class House:
    def __init__(self, embedded: Embedded, world: World, key: str) -> None:
        self.world = world
        self.key = key
        door = httpx.ASGITransport(embedded.site)
        self.http = httpx.AsyncClient(
            transport=door,
            base_url="http://house",
            headers={"Authorization": f"Bearer {key}"},
            timeout=60,
        )
        self.stranger = httpx.AsyncClient(transport=door, base_url="http://house", timeout=60)
        """Somebody without a key."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stranger.aclose()
        await self.http.aclose()

    async def create(self, definition: Json, name: str = "test") -> Json:
        answer = await self.http.post("/api/v1/workflows", json={"name": name, "definition": definition})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def execute(self, definition: Json, given: Json = None, wait: float = 30) -> Json:
        """The execution's detail, once it is closed (or after `wait` seconds)."""
        workflow = await self.create(definition)
        started = await self.start(workflow["id"], given, wait=wait)
        return await self.execution(started["id"])

    async def start(self, workflow: str, given: Json = None, *, wait: float = 0, key: str | None = None) -> Json:
        headers = {"Idempotency-Key": key} if key else {}
        answer = await self.http.post(
            f"/api/v1/workflows/{workflow}/execute", params={"wait": wait}, json={"input": given}, headers=headers
        )
        assert answer.status_code in (200, 202), answer.text
        return answer.json()

    async def execution(self, identifier: str) -> Json:
        return (await self.http.get(f"/api/v1/executions/{identifier}")).json()

    async def closed(self, identifier: str, wait: float = 30) -> Json:
        """Follows the events until the last one, by long poll."""
        after = -1
        for _ in range(200):
            page = await self.events(identifier, after, wait)
            if page["closed"]:
                return await self.execution(identifier)
            after = page["next_after"]
        raise AssertionError("the execution never closed")

    async def events(self, identifier: str, after: int = -1, wait: float = 0) -> Json:
        params = {"after": after, "wait": wait, "limit": 200}
        return (await self.http.get(f"/api/v1/executions/{identifier}/events", params=params)).json()


def node_of(execution: Json, name: str) -> Json:
    """The last entry into the node of this name."""
    return [node for node in execution["nodes"] if node["node"] == name][-1]
