"""Who plays: two workspaces with random workflows of both dialects, and the starts that stories choose from.

A cast serves ten stories in a row, which differ in everything that befalls them. What each start must come to is what
the same workflow gives in a story where nothing happens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, Literal, TypeVar

from linkflow.language.json import Json
from tests.simulation.machines import CHILD, ITEMS, SLOW_CHILD, Paper
from tests.unit.graphs import graph, node
from tests.unit.random_graphs import Drawn, Sheet

T = TypeVar("T")
KINDS: Final = (
    *("graph", "graph", "hook", "racing", "machine", "machine", "machine"),
    *("timed", "once", "limited", "signals"),
)
STORIES: Final = 10
"""That share a cast."""
WORKSPACES: Final = ("ws_a", "ws_b")
Promise = Literal["result", "status", "end"]
"""What must be as in a story without faults: status and output, the status, or only that it ends."""


@dataclass(frozen=True, slots=True)
class Dice:
    """Chance from a seed."""

    random: Random

    def pick(self, options: Sequence[T]) -> T:
        return self.random.choice(options)

    def between(self, least: int, most: int) -> int:
        return self.random.randint(least, most)

    def shuffled(self, options: Sequence[T]) -> list[T]:
        return self.random.sample(options, len(options))


@dataclass(frozen=True, slots=True)
class Part:
    """A workflow. `hook`: it is started by a webhook, which answers in this way."""

    workspace: str
    name: str
    dialect: Literal["graph", "asl"]
    definition: Drawn
    promise: Promise
    hook: str | None = None
    limit: int | None = None
    """How many executions of it may run at once."""
    signals: bool = False
    """Whether its executions wait for signals."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """A start that stories may make: always the same input and idempotency key."""

    number: int
    part: int
    given: Json

    @property
    def key(self) -> str:
        return f"start-{self.number}"


@dataclass(frozen=True, slots=True)
class Cast:
    seed: int
    failing: int
    parts: tuple[Part, ...]
    entrances: tuple[Entrance, ...]
    padding: int = 0
    """Characters by which the outside's answers are long: books then have snapshots, and blobs."""


def cast_of(seed: int) -> Cast:
    """The cast of the story of this seed."""
    number = seed // STORIES
    dice = Dice(Random(f"cast {number}"))
    children = [
        Part(workspace, name, "graph", _child(seconds), "result")
        for workspace in WORKSPACES
        for name, seconds in ((CHILD, 2), (SLOW_CHILD, 900))
    ]
    drawn = [_part(dice, f"w{index}") for index in range(4)]
    parts = (*children, *drawn)
    entrances = [
        Entrance(index, len(children) + index % len(drawn), {"n": dice.between(0, 3), "items": ITEMS})
        for index in range(8)
    ]
    return Cast(number, dice.pick([0, 1, 2]), parts, tuple(entrances), dice.pick([0, 0, 0, 6_000]))


def _part(dice: Dice, name: str) -> Part:
    workspace = dice.pick(WORKSPACES)
    kind = dice.pick(
        ["graph", "graph", "hook", "racing", "machine", "machine", "machine", "timed", "once", "limited", "signals"]
    )
    if kind in ("machine", "timed"):
        paper = Paper(dice, queries=dice.pick([True, False]), timed=kind == "timed")
        return Part(workspace, name, "asl", paper.whole(), "end" if kind == "timed" else "result")
    manner: Literal["racing", "steady"] = "racing" if kind == "racing" else "steady"
    more = {"sub_workflow": _calls} | ({"ask_once": _asks_once} if kind == "once" else {})
    sheet = Sheet(dice, manner, left=10, request=_asks, more=more, signals=kind == "signals")
    answer = dice.pick(["at_once", "when_done"])
    trigger = node("start", "webhook", {"answer": answer}) if kind == "hook" else node("start", "manual")
    promise: Promise = "status" if kind == "racing" else "end" if kind == "once" else "result"
    limit = dice.pick([None, None, 1]) if kind != "limited" else 1
    settings: Drawn = {"durability": dice.pick(["step", "step", "group", "end"])}
    if limit is not None:
        settings["concurrency"] = {"limit": limit}
    definition = {**sheet.workflow(trigger), "settings": settings}
    hook = answer if kind == "hook" else None
    return Part(workspace, name, "graph", definition, promise, hook, limit, signals=kind == "signals")


def _asks(name: str, expression: str) -> Drawn:
    return {"url": f"http://outside/ask/{name}", "method": "POST", "body": expression}


def _asks_once(expression: str) -> Drawn:
    """It may be interrupted, and then fails."""
    return {"url": "http://outside/ask_once/o", "method": "POST", "body": expression}


def _calls(expression: str) -> Drawn:
    return {"workflow": CHILD, "input": expression}


def _child(seconds: float) -> Drawn:
    """What others start, and wait for: it never fails."""
    call = {"url": "http://outside/fine/c", "method": "POST", "body": "{{ trigger }}"}
    nodes = [
        node("begin", "manual"),
        node("ask", "http_request", call, timeout=3_600),
        node("pause", "delay", {"seconds": seconds}),
        node("echo", "set", {"values": {"c": "{{ nodes.ask.body }}"}}),
    ]
    return graph(nodes, "begin -> ask", "ask -> pause", "pause -> echo")
