"""The world that simulated workflows call. It remembers every effect with its key, and answers by what it was asked
alone, so that another run of the same workflow hears the same.

Paths: `/ask/<node>` answers with the digest of the question; of eight questions, `failing` fail each time and one fails
at its first attempt. `/apart/<node>` does so too, now and then at length. `/fine/<node>` never fails. `/later/<node>`
takes a token, and ends the task some time later. `/vote/<node>` is told of an approval, and of the person who shall
decide it. `/hear` is told of starts and ends, and of some it does not want to hear at first.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit
from zlib import crc32

import msgspec

from linkflow.adapters.clock import VirtualClock
from linkflow.language.json import Json
from linkflow.nodes.base import BaseNode, NodeRequest, TaskContext
from linkflow.nodes.catalog import NODES
from linkflow.nodes.http_request import HttpRequest
from linkflow.ports import HttpRequest as Request
from linkflow.ports import HttpResponse

ATTEMPT: Final = "X-Attempt"
HEARS: Final = "/hear"


class Asked(HttpRequest):
    """Calls an HTTP address, and says which attempt this is."""

    def _request(self, context: TaskContext) -> NodeRequest:
        request = super()._request(context)
        return replace(request, headers={**request.headers, ATTEMPT: str(context.attempt)})


class AskedOnce(Asked):
    """Calls an HTTP address, at most once an attempt."""

    type: ClassVar[str] = "ask_once"
    at_most_once: ClassVar[bool] = True


class AskedApart(Asked):
    """Calls an HTTP address from where no table, key or secret is."""

    type: ClassVar[str] = "ask_apart"
    isolated: ClassVar[bool] = True


SIMULATED_NODES: Final[dict[str, type[BaseNode]]] = {
    **NODES,
    **{kind.type: kind for kind in (Asked, AskedOnce, AskedApart)},
}
AT_LENGTH: Final = 380_000
"""Characters of an answer that must come home in pieces."""


@dataclass(frozen=True, slots=True)
class Effect:
    """A request that reached the outside."""

    at: float
    path: str
    key: str
    attempt: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Heard:
    """A callback's call that was answered well: which delivery, of which execution, and of what."""

    delivery: str
    execution: str
    event: str


def _nobody(*told: Json) -> None:
    raise AssertionError(f"Nobody is there to be told {told}.")


@dataclass(slots=True)
class Outside:
    """`delays` are how long it takes to answer, `seed` and `failing` say what it answers. `token_came` is told of every
    token that is handed out, and of the answer that shall come back with it; `vote_wanted` of every link to an
    approval, whose it is, and whether that person approves."""

    clock: VirtualClock
    seed: int
    failing: int
    delays: Random
    slow: float = 0.05
    padding: int = 0
    """Characters that answers are longer than they need be."""
    effects: list[Effect] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    """The deliveries that were tried."""
    token_came: Callable[[str, Json], None] = field(default=_nobody)
    vote_wanted: Callable[[str, str, bool], None] = field(default=_nobody)

    async def request(self, request: Request) -> HttpResponse:
        path = urlsplit(request.url).path
        if path == HEARS:
            return await self._hear(request)
        attempt = int(request.headers.get(ATTEMPT, "1"))
        key = request.headers.get("Idempotency-Key", "")
        self.effects.append(Effect(self.clock.now(), path, key, attempt, request.content))
        await self.clock.sleep(self._delay())
        asked: Json = msgspec.json.decode(request.content) if request.content else None
        kind = path.split("/")[1]
        if kind == "later":
            self.token_came(asked["token"], f"{self.digest(path, asked['asked']):x}")
            return _json(200, "accepted")
        if kind == "vote":
            asked = dict(asked)
            self.vote_wanted(asked.pop("link"), asked["person"], self.digest(path, asked) % 3 > 0)
            return _json(200, "accepted")
        digest = self.digest(path, asked)
        if kind != "fine" and (digest % 8 < self.failing or (digest % 8 == 7 and attempt == 1)):
            return _json(500, "no")
        padding = AT_LENGTH if kind == "apart" and digest % 8 == 4 else self.padding
        return _json(200, f"{digest:x}" + Random(digest).randbytes(padding // 2).hex())

    async def _hear(self, request: Request) -> HttpResponse:
        await self.clock.sleep(self._delay())
        told: Json = msgspec.json.decode(request.content)
        known = told["id"] in self.asked
        self.asked.add(told["id"])
        if not known and crc32(told["id"].encode()) % 4 == 0:
            return _json(503, "later")
        self.heard.append(Heard(told["id"], told["execution"]["id"], told["event"]))
        return _json(200, "thanks")

    def digest(self, what: str, asked: Json) -> int:
        return crc32(msgspec.json.encode([self.seed, what, asked], order="deterministic"))

    def _delay(self) -> float:
        return self.delays.uniform(1.0, 40.0) if self.delays.random() < self.slow else self.delays.uniform(0.0, 0.3)


def _json(status: int, body: Any) -> HttpResponse:
    return HttpResponse(status, {"content-type": "application/json"}, msgspec.json.encode(body))
