"""Random graphs with graphs inside nodes, and tasks whose outcome follows from what they are asked.

What a run gives may rightly depend on who is quicker, so there are manners of drawing:

    steady    data steers and joins wait for all: status and output are determined. Failures that may race for the end
              of one graph all bear the same name.
    racing    joins also take the first or a quorum, so what nodes receive is not determined; but only constants, items
              and counts steer, so the status is.
    alike     nothing steers but what the execution was started with: every pass of a container does the same.
    anything  expressions, loops and merges look at whatever comes, and may fail.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, Protocol, TypeVar
from zlib import crc32

import msgspec
from hypothesis import strategies as st

from linkflow.execution.commands import RunTask
from linkflow.execution.events import News, TaskFailed, TaskSucceeded
from linkflow.language.json import Json
from tests.unit.graphs import graph, node

Manner = Literal["steady", "racing", "alike", "anything"]
Drawn = dict[str, Json]

T = TypeVar("T")


class Chance(Protocol):
    """What decides: hypothesis, or a seed."""

    def pick(self, options: Sequence[T]) -> T: ...

    def between(self, least: int, most: int) -> int: ...

    def shuffled(self, options: Sequence[T]) -> list[T]: ...


@dataclass(frozen=True)
class Drawing:
    draw: st.DrawFn

    def pick(self, options: Sequence[T]) -> T:
        return self.draw(st.sampled_from(options))

    def between(self, least: int, most: int) -> int:
        return self.draw(st.integers(least, most))

    def shuffled(self, options: Sequence[T]) -> list[T]:
        return self.draw(st.permutations(options))


DEEPEST = 3
LONG = 31_536_000
"""Seconds a task may take: longer than all waits of a graph together, so that no task times out by itself."""

SIGNAL = "go"
"""What every wait for a signal waits for; all signals of that name say the same."""
FILTER = "{{ signal.payload = 1 }}"

SOURCES: dict[Manner, tuple[str, ...]] = {
    "steady": ("input", "item", "index", "vars.passes", "error", "trigger"),
    "racing": ("item", "index", "vars.passes", "trigger"),
    "alike": ("trigger",),
    "anything": ("input", "item", "index", "error", "input.n + 1", "$sum(input)", "input[0]", "input ~> $keys()"),
}
OPERATORS = ("equals", "not_equals", "exists", "is_empty", "is_true")
RISKY = (*OPERATORS, "greater", "contains", "in", "starts_with")

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
_NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
_NAMES = st.sampled_from(["n", "error", "x"])


def _composed(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.lists(inner, max_size=3) | st.dictionaries(_NAMES | _TEXT, inner, max_size=3)


JSON: st.SearchStrategy[Json] = st.recursive(st.none() | st.booleans() | _NUMBERS | _TEXT, _composed, max_leaves=8)


@st.composite
def bodies(draw: st.DrawFn, manner: Manner) -> Drawn:
    """Graphs as they stand in a container."""
    return Sheet(Drawing(draw), manner, left=8).body(1, ())


@st.composite
def nests(draw: st.DrawFn) -> tuple[Drawn, int]:
    """Containers in containers, and how often the node `leaf` inside them all runs when nothing fails."""
    inside, times = node("leaf"), 1
    for number, kind in enumerate(draw(st.lists(st.sampled_from(["loop", "repeat", "try"]), max_size=DEEPEST))):
        width, body = draw(st.integers(1, 3)), {"nodes": [inside], "edges": []}
        configs: dict[str, Drawn] = {
            "loop": {"items": ["x"] * width, "body": body},
            "repeat": {"until": f"{{{{ vars.passes >= {width} }}}}", "body": body},
            "try": {"body": body, "handler": {"nodes": [node(f"sorry{number}")], "edges": []}},
        }
        inside, times = node(f"around{number}", kind, configs[kind]), times * (1 if kind == "try" else width)
    return graph([node("start", "manual"), inside], f"start -> {inside['id']}"), times


@st.composite
def whole(draw: st.DrawFn, manner: Manner) -> Drawn:
    """Whole workflows."""
    return Sheet(Drawing(draw), manner).workflow(node("start", "manual"))


def exits(drawn: Drawn) -> list[str]:
    found = ["true", "false"] if drawn["type"] == "condition" else ["default"]
    return found + (["error"] if drawn["on_error"] == "branch" else [])


@dataclass
class Sheet:
    """Draws one workflow of at most `left` nodes. Edges lead from earlier nodes to later ones."""

    chance: Chance
    manner: Manner
    left: int = 14
    request: Callable[[str, str], Drawn] = lambda _, expression: {"url": expression}
    """The config of an `http_request`, by the node's name and an expression."""
    more: Mapping[str, Callable[[str], Drawn]] = field(default_factory=dict)
    """Other kinds of nodes, and what draws their config from an expression."""
    signals: bool = True
    """Whether nodes may wait for signals, which somebody then must send."""
    names: list[str] = field(default_factory=list)

    def workflow(self, trigger: Drawn) -> Drawn:
        """A whole one, which `trigger` starts."""
        body = self.body(0, ())
        led = {edge["target"] for edge in body["edges"]}
        behind = [{"source": trigger["id"], "target": one["id"]} for one in body["nodes"] if one["id"] not in led]
        return {"nodes": [trigger, *body["nodes"]], "edges": [*behind, *body["edges"]]}

    def body(self, depth: int, around: Sequence[str]) -> Drawn:
        """`around` are the nodes outside that are surely settled when this graph begins."""
        nodes: dict[str, Drawn] = {}
        edges: list[Drawn] = []
        settled: dict[str, set[str]] = {}
        for number in range(self.chance.between(1, 6 if depth == 0 else 3)):
            if number > 0 and self.left <= 0:
                break
            fewest = min(len(nodes), self.chance.pick([0, 0, 1, 2]))
            before = self.chance.shuffled(list(nodes))[: fewest + self.chance.between(0, 1)]
            known: set[str] = set().union(*(settled[one] for one in before))
            made = self.node(depth, [*around, *sorted(known)], len(before))
            nodes[made["id"]] = made
            edges += [
                {"source": one, "target": made["id"], "branch": self.chance.pick(exits(nodes[one]))} for one in before
            ]
            hasty = made["config"].get("wait_for", "all") != "all"
            settled[made["id"]] = {made["id"]} | (set() if hasty else known)
        return {"nodes": list(nodes.values()), "edges": edges}

    def node(self, depth: int, known: Sequence[str], edges: int) -> Drawn:
        self.left -= 1
        self.names.append(name := f"n{len(self.names)}")
        kind = self.chance.pick(self.possible(depth, edges))
        on_error = self.chance.pick(["stop", "continue", "branch"])
        draws: dict[str, Callable[[], Drawn]] = {
            "no_op": dict,
            "http_request": lambda: self.request(name, self.expression(known)),
            "set": lambda: {"values": {"v": self.expression(known)}, "keep_input": self.chance.pick([False, True])},
            "wait_for_signal": lambda: {"name": SIGNAL, **self.chance.pick([{}, {"filter": FILTER}])},
            "delay": lambda: {"seconds": self.chance.pick([0, 1, 7.5, *self.risky(known)])},
            "condition": lambda: {"all": [self.comparison(known)]},
            "merge": lambda: self.merge(edges),
            "loop": lambda: self.loop(depth, known, on_error),
            "repeat": lambda: self.repeat(depth, known),
            "try": lambda: {key: self.body(depth + 1, known) for key in ("body", "handler")},
        }
        draws |= {other: partial(config, self.expression(known)) for other, config in self.more.items()}
        more: Drawn = {"on_error": on_error, "disabled": self.chance.between(0, 9) == 9}
        if kind in ("no_op", "http_request"):
            more["timeout"] = LONG
        if self.chance.between(0, 2) == 2:
            jitter, attempts = self.chance.pick([False, True]), self.chance.between(2, 3)
            more["retry"] = {"max_attempts": attempts, "interval": 1, "jitter": jitter}
        return node(name, kind, draws[kind](), **more)

    def possible(self, depth: int, edges: int) -> list[str]:
        kinds = ["http_request", "http_request", "no_op", "set", "condition", "delay"]
        kinds += ["wait_for_signal"] if self.signals else []
        kinds += ["merge"] * (2 * edges + (self.manner == "anything"))
        return kinds + list(self.more) + (["loop", "repeat", "try"] * 2 if depth < DEEPEST and self.left > 0 else [])

    def expression(self, known: Sequence[str]) -> str:
        nodes = [] if self.manner in ("racing", "alike") else [f"nodes.{one}" for one in known]
        return f"{{{{ {self.chance.pick([*SOURCES[self.manner], *nodes])} }}}}"

    def risky(self, known: Sequence[str]) -> list[str]:
        """An expression where a number belongs, if anything goes."""
        return [self.expression(known)] if self.manner == "anything" else []

    def comparison(self, known: Sequence[str]) -> Drawn:
        operator = self.chance.pick(RISKY if self.manner == "anything" else OPERATORS)
        right: Json = self.chance.pick([None, 0, 1, "a", True, [], {"n": 1}])
        return {"left": self.expression(known), "operator": operator, "right": right}

    def merge(self, edges: int) -> Drawn:
        """A quorum of all edges races with nobody: it is reached when the last has come."""
        combine = ["object", "append"] + (["position", "key"] if self.manner == "anything" else [])
        config: Drawn = {"combine": self.chance.pick(combine)}
        if config["combine"] == "key":
            config["key"] = "n"
        waits = (
            ["all"]
            + (["quorum"] if edges else [])
            + (["first"] if self.manner in ("racing", "anything") or edges == 1 else [])
        )
        config["wait_for"] = self.chance.pick(waits)
        if config["wait_for"] == "quorum":
            fewest = 1 if self.manner in ("racing", "anything") else edges
            config["quorum"] = self.chance.between(fewest, edges)
        return config

    def loop(self, depth: int, known: Sequence[str], on_error: str) -> Drawn:
        """Its own error, of more failures than are tolerated, may end a graph only where no name is compared."""
        items = [self.chance.pick([None, 1, "a", self.expression(known)]) for _ in range(self.chance.between(0, 3))]
        config: Drawn = {"items": items, "concurrency": self.chance.pick([0, 1, 2, 10, *self.risky(known)])}
        if self.manner == "anything" and self.chance.pick([False, True]):
            config["items"] = self.expression(known)
        if on_error != "stop" or self.manner != "steady":
            tolerated = [{}, {"tolerated_failures": 1}, {"tolerated_percentage": 50}, {"tolerated_failures": 9}]
            config.update(self.chance.pick(tolerated))
        return {**config, "body": self.body(depth + 1, known)}

    def repeat(self, depth: int, known: Sequence[str]) -> Drawn:
        passes = self.chance.between(1, 3)
        until = f"{{{{ vars.passes >= {passes} }}}}"
        if self.manner == "anything":
            until = self.chance.pick([until, "{{ output.n > 1 }}", "{{ $exists(output) }}", "{{ output }}"])
        return {"until": until, "at_most": 3, "body": self.body(depth + 1, known)}


@dataclass(frozen=True)
class Rule:
    """Answers tasks by what they ask alone: of eight, `failing` fail each time, and one fails at its first attempt.
    What a task gives tells all it was asked, in a few characters."""

    failing: int
    seed: int = 0

    def __call__(self, task: RunTask) -> News:
        asked = crc32(msgspec.json.encode((self.seed, task.node, task.arguments), order="deterministic"))
        if asked % 8 < self.failing or (asked % 8 == 7 and task.attempt == 1):
            return TaskFailed(task.scope, task.task, "Boom", "It broke.", retryable=asked % 3 > 0)
        return TaskSucceeded(task.scope, task.task, f"{asked:x}")


RULES = st.builds(Rule, st.integers(0, 3), st.integers(0, 1_000))
