"""Who plays: two workspaces with random workflows of both dialects, and the starts that stories choose from.

A cast serves ten stories in a row, which differ in everything that befalls them. What each start must come to is what
the same workflow gives in a story where nothing happens.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Final, Literal, TypeVar

from linkflow.engine.claims import KeyPolicy
from linkflow.language.json import Json
from linkflow.language.program import WhenFull
from linkflow.language.recurrence.form import Misfire, Overlap
from tests.simulation.machines import CHILD, ITEMS, SLOW_CHILD, Paper
from tests.simulation.scenes import apart, approvals, asks, brief, chain, greeted, labour, once, told
from tests.unit.graphs import graph, node
from tests.unit.random_graphs import Drawn, Sheet

T = TypeVar("T")
KINDS: Final = (
    *("graph", "graph", "hook", "racing", "machine", "machine", "machine"),
    *("timed", "once", "limited", "signals", "labour", "labour", "approvals", "chain", "keyed", "keyed", "paced"),
)
RARER: Final = ("apart", "greeted", "told")
"""One part in twelve is one of these."""
SCENES: Final = ("labour", "approvals", "chain", "keyed", "paced", "greeted", "told", "apart")
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
    rate: tuple[int, float] | None = None
    """How many may begin, and in how many seconds."""
    each: bool = False
    """Whether limits count for each `n` of the input by itself."""
    when_full: WhenFull = "queue"
    """What becomes of a start that the limit leaves no room for."""
    keyed: KeyPolicy | None = None
    """What becomes of a start while another execution has the business key, which all starts of it bear."""
    labour: bool = False
    """Whether its tasks are for remote workers."""
    votes: bool = False
    """Whether it asks for approvals."""
    timetable: "Timetable | None" = None
    signals: bool = False
    """Whether its executions wait for signals."""
    greeted: bool = False
    """Whether who starts it does so with a signal."""
    told: bool = False
    """Whether its executions wait for an event, which starts others of it."""
    patience: float = 0.0
    """Seconds that who starts it waits for the result."""
    later: float | None = None
    """Seconds behind the beginning of the story before which its executions do nothing."""

    @property
    def nagged(self) -> bool:
        """Whether its executions need somebody outside who knows of them, so that they end."""
        return self.signals or self.told


@dataclass(frozen=True, slots=True)
class Timetable:
    """The seconds `after` the story begins at which a schedule starts it."""

    after: tuple[int, ...]
    overlap: Overlap
    misfire: Misfire


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
    hears: str | None = None
    """The workspace of which somebody outside wants to hear every start and every end."""

    @property
    def repeats(self) -> bool:
        """Whether attempts may time out, and be made again with all that had come before in their container."""
        return any(part.dialect == "asl" and part.promise == "end" for part in self.parts)


def cast_of(seed: int) -> Cast:
    """The cast of the story of this seed."""
    number = seed // STORIES
    dice = Dice(Random(f"cast {number}"))
    children = [
        Part(workspace, name, "graph", _child(seconds), "result")
        for workspace in WORKSPACES
        for name, seconds in ((CHILD, 2), (SLOW_CHILD, 900))
    ]
    drawn = [_refined(Dice(Random(f"crowd {number} {index}")), _drawn(dice, number, index)) for index in range(4)]
    timetables = [_scheduled(dice, "on_time")] if dice.between(0, 1) else []
    parts = (*children, *drawn, *timetables)
    entrances = [
        _entrance(dice, index, len(children) + index % len(drawn), drawn[index % len(drawn)]) for index in range(8)
    ]
    failing, padding = dice.pick([0, 1, 2]), dice.pick([0, 0, 0, 6_000])
    hears = Random(f"callback {number}").choice([*[None] * 10, *WORKSPACES])
    return Cast(number, failing, parts, tuple(entrances), padding, hears)


def _entrance(dice: Dice, number: int, position: int, part: Part) -> Entrance:
    """Those that a limit counts by their input get in each other's way."""
    drawn = dice.between(0, 3)
    return Entrance(number, position, {"n": 1 if part.each else drawn, "items": ITEMS})


def _drawn(dice: Dice, number: int, index: int) -> Part:
    workspace, kind = dice.pick(WORKSPACES), dice.pick(KINDS)
    rarer = Random(f"rarer {number} {index}")
    return _part(dice, workspace, f"w{index}", kind if rarer.random() > 1 / 12 else rarer.choice(RARER))


def _part(dice: Dice, workspace: str, name: str, kind: str) -> Part:
    if kind in SCENES:
        return _scene(dice, kind, Part(workspace, name, "graph", {}, "result"))
    if kind in ("machine", "timed"):
        paper = Paper(dice, queries=dice.pick([True, False]), timed=kind == "timed")
        return Part(workspace, name, "asl", paper.whole(), "end" if kind == "timed" else "result")
    manner: Literal["racing", "steady"] = "racing" if kind == "racing" else "steady"
    more = {"sub_workflow": partial(_calls, dice)} | ({"ask_once": _asks_once} if kind == "once" else {})
    sheet = Sheet(dice, manner, left=10, request=asks, more=more, signals=kind == "signals")
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


def _refined(dice: Dice, part: Part) -> Part:
    """Some are started by who waits for the result, or for later; some of those that are limited do not wait."""
    if part.hook is not None or part.told:
        return part
    part = _crowded(dice, part) if part.limit is not None else part
    patience, later = dice.pick([0.0, 0.0, 0.0, 2.0, 20.0]), dice.pick([None, None, None, None, 30.0, 70.0])
    return replace(part, patience=patience, later=later if patience == 0.0 else None)


def _crowded(dice: Dice, part: Part) -> Part:
    if dice.between(0, 2) == 0:
        return part
    when_full: WhenFull = dice.pick(["cancel_oldest", "cancel_oldest", "skip", "fail"])
    settings = part.definition["settings"]
    concurrency = {**settings["concurrency"], "when_full": when_full}
    definition = {**part.definition, "settings": {**settings, "concurrency": concurrency}}
    return replace(part, definition=definition, when_full=when_full, promise="end")


def _scene(dice: Dice, kind: str, part: Part) -> Part:
    match kind:
        case "labour":
            drawn = labour(dice)
            if dice.between(0, 2):
                return replace(part, definition=drawn, labour=True)
            return replace(part, definition=once(drawn), labour=True, promise="end")
        case "approvals":
            return replace(part, definition=approvals(dice), votes=True)
        case "chain":
            return replace(part, definition=chain(dice))
        case "keyed":
            policy: KeyPolicy = dice.pick(["reject", "use_existing", "terminate_existing"])
            drawn = dice.pick([chain, brief])(dice)
            return replace(part, definition=drawn, keyed=policy, promise="end")
        case "greeted":
            return replace(part, definition=greeted(dice), keyed="use_existing", greeted=True, promise="end")
        case "told":
            return replace(part, definition=told(dice), told=True)
        case "apart":
            return replace(part, definition=apart(dice))
        case _:
            limit, seconds, each = 1, dice.pick([10.0, 60.0]), bool(dice.between(0, 1))
            key: Drawn = {"key": "{{ trigger.n }}"} if each else {}
            bounds: Drawn = {"rate": {"limit": limit, "per_seconds": seconds, **key}}
            if dice.between(0, 1):
                bounds["concurrency"] = {"limit": 1, **key}
            most = 1 if "concurrency" in bounds else None
            return replace(part, definition=brief(dice, bounds), rate=(limit, seconds), each=each, limit=most)


def _scheduled(dice: Dice, name: str) -> Part:
    moments = sorted({dice.between(1, 40) * 5 for _ in range(dice.between(1, 5))})
    overlap: Overlap = dice.pick(["allow", "skip", "queue", "cancel_previous"])
    misfire: Misfire = dice.pick(["skip", "one", "all"])
    timetable = Timetable(tuple(moments), overlap, misfire)
    return Part(dice.pick(WORKSPACES), name, "graph", brief(dice), "end", timetable=timetable)


def _asks_once(expression: str) -> Drawn:
    """It may be interrupted, and then fails."""
    return {"url": "http://outside/ask_once/o", "method": "POST", "body": expression}


def _calls(dice: Dice, expression: str) -> Drawn:
    policy: Drawn = dice.pick([{}, {"on_parent_close": dice.pick(["cancel", "terminate", "detach"])}])
    return {"workflow": CHILD, "input": expression, **policy}


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
