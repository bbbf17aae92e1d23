"""A store that fails under a webhook: the caller is told to come again, and nothing else."""

from typing import Any

import httpx
import pytest

from functions.services import declare
from linkflow.adapters.clock import SystemClock
from linkflow.errors import Throttled, Unreachable
from linkflow.runtime.hosts.embedded import Embedded
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import in_memory
from linkflow.stores.accounts import Accounts
from tests.services.other_ports import over
from tests.unit.graphs import graph, node


class Weak:
    """A table whose `weak` verbs fail."""

    def __init__(self, table: Any) -> None:
        self._table = table
        self.weak: dict[str, Exception] = {}

    def __getattr__(self, verb: str) -> Any:
        return self._fails if verb in self.weak else getattr(self._table, verb)

    async def _fails(self, *_: Any, **__: Any) -> None:
        raise next(iter(self.weak.values()))


@pytest.mark.parametrize("verb", ["get", "put"])
@pytest.mark.parametrize("error", [Unreachable("The table"), Throttled("The table")])
async def test_a_failing_store_is_told_as_503_with_the_time_to_come_again(verb: str, error: Exception) -> None:
    whole = in_memory(Settings(), SystemClock())
    table = Weak(whole.table)
    world = over(whole, table, whole.queue)
    key = await Accounts(world.table).first_start(world.clock, world.ids)
    embedded = Embedded(world, declare(world))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(embedded.site), base_url="http://house") as http:
        config = {"deduplicate": {"by": "body"}, "rate": {"calls": 10}}
        body = {"name": "x", "definition": graph([node("hook", "webhook", config)])}
        made = await http.post("/api/v1/workflows", json=body, headers={"Authorization": f"Bearer {key}"})
        path = "/hooks/" + made.json()["hooks"][0]["url"].rpartition("/")[2]
        table.weak = {verb: error}
        refused = await http.post(path, json={"n": 1})
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) >= 1
        table.weak = {}
        assert (await http.post(path, json={"n": 1})).status_code == 202
    await world.close()
