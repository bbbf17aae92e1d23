"""A program in front of the engine's door: it signs what it sends."""

from typing import Any

import httpx
import msgspec

from linkflow.runtime.signature import signed
from linkflow.runtime.signed import WORKSPACE
from linkflow.stores.accounts import Accounts
from tests.flow.house import House

Json = Any
BASE = "/engine/v1/executions"


class Door:
    def __init__(self, house: House, workspace: str) -> None:
        self.house = house
        self.workspace = workspace

    @classmethod
    async def of(cls, house: House) -> "Door":
        owner = await Accounts(house.world.table).owner()
        assert owner is not None
        return cls(house, owner.workspace)

    async def send(self, method: str, path: str, body: Json = None, **headers: str) -> httpx.Response:
        content = b"" if body is None else msgspec.json.encode(body)
        proof = signed(self.house.world.secret, content, self.house.world.clock.now())
        own = {"Content-Type": "application/json", "Authorization": "", WORKSPACE: self.workspace, **proof, **headers}
        return await self.house.http.request(method, path, content=content, headers=own)

    async def start(self, workflow: str, given: Json = None, key: str | None = None, **options: Json) -> Json:
        headers = {"Idempotency-Key": key} if key else {}
        answer = await self.send("POST", BASE, {"workflow": workflow, "input": given, **options}, **headers)
        assert answer.status_code in (200, 202), answer.text
        return answer.json()

    async def wish(self, execution: str, verb: str, **body: Json) -> httpx.Response:
        return await self.send("POST", f"{BASE}/{execution}/{verb}", body)

    async def told(self, execution: str, what: str = "") -> Json:
        answer = await self.send("GET", f"{BASE}/{execution}{what}")
        assert answer.status_code == 200, answer.text
        return answer.json()
