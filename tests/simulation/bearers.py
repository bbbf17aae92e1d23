"""Those to whom tokens are handed out: each brings its token back after a while."""

from functools import partial

from linkflow.execution.tokens import read_token
from linkflow.language.json import Json
from tests.simulation import requests
from tests.simulation.hosts import Hosts
from tests.simulation.weather import Line


class Tokens:
    def __init__(self, hosts: Hosts) -> None:
        self.hosts, self._count = hosts, 0

    def came(self, token: str, output: Json) -> None:
        self.hosts.keep_busy(self._give_back(token, output))

    async def _give_back(self, token: str, output: Json) -> None:
        self._count += 1
        clock, played = self.hosts.clock, self.hosts.played
        await clock.sleep(played.plan.patience[self._count % len(played.plan.patience)])
        bare = read_token(token)
        assert bare is not None
        ask = partial(requests.succeeded, workspace=bare.workspace, token=token, output=output)
        told = await self.hosts.insist(bare.workspace, ask)
        played.weather.lines.append(Line(clock.now(), "outside", "gave a token", f"{bare.execution}: {told}"))
