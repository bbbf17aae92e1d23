"""Which nodes run: for certain, never, or when an expression over `$exits` holds.

The verdicts are those of the core (`execution.composites`), given before anything has run. `True` and `False` are
certain; a text is an expression that the machine evaluates.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Final

from linkflow.language.graph.definition import EdgeDefinition, NodeDefinition
from linkflow.language.graph.export.expressions import literal, member

Verdict = bool | str

FEW: Final = 8
"""Terms that are joined by `or`: each one more is a level deeper for whoever evaluates it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A node where it stands. `exits` are those it may be left by; `path` leads to it in the definition;
    `quorum` as in `Join`; `starts`: whether a trigger
    is the one that starts, None for all other nodes."""

    node: NodeDefinition
    exits: tuple[str, ...]
    path: str
    quorum: int | None = None
    gather: bool = False
    starts: bool | None = None


@dataclass(slots=True)
class Liveness:
    places: Mapping[str, Place]
    edges: Sequence[EdgeDefinition]
    exits: str = "exits"
    """The variable that holds the exits."""
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    _incoming: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    _outgoing: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._incoming = {name: {} for name in self.places}
        self._outgoing = {name: set() for name in self.places}
        for edge in self.edges:
            self._incoming[edge.target].setdefault(edge.source, []).append(edge.branch)
            self._outgoing[edge.source].add(edge.branch)
        for name in TopologicalSorter(self._incoming).static_order():
            self.verdicts[name] = self._verdict(self.places[name])

    def levels(self) -> list[list[str]]:
        """The nodes that may run, each in the level after that of the last one it waits for."""
        depth: dict[str, int] = {}
        for name in TopologicalSorter(self._incoming).static_order():
            if self.verdicts[name] is not False:
                depth[name] = 1 + max((depth[one] for one in self._incoming[name] if one in depth), default=-1)
        found: list[list[str]] = [[] for _ in range(1 + max(depth.values(), default=-1))]
        for name in self.places:
            if name in depth:
                found[depth[name]].append(name)
        return found

    def before(self, name: str) -> set[str]:
        """All nodes that lead to this one, near or far."""
        found: set[str] = set()
        front = list(self._incoming[name])
        while front:
            one = front.pop()
            if one not in found:
                found.add(one)
                front.extend(self._incoming[one])
        return found

    def left_by(self, name: str, exits: Iterable[str]) -> Verdict:
        """Whether the node runs and is left by one of these."""
        possible, verdict = self.places[name].exits, self.verdicts[name]
        taken = [one for one in possible if one in set(exits)]
        if verdict is False or not taken:
            return False
        known = member(self.exits, name)
        if len(taken) == len(possible):
            return True if verdict is True else f"{known} != null"
        return f"{known} = {literal(taken[0])}" if len(taken) == 1 else f"{known} in {literal(taken)}"

    def sources(self, name: str) -> dict[str, Verdict]:
        """The nodes that a live edge may lead from to this one, in the order of the edges, and when."""
        found = {source: self.left_by(source, exits) for source, exits in self._incoming[name].items()}
        return {source: verdict for source, verdict in found.items() if verdict is not False}

    def last(self, name: str) -> Verdict:
        """Whether the node runs and no live edge leads on from it."""
        return self.left_by(name, self.ends(name))

    def ends(self, name: str) -> list[str]:
        """The exits from which no edge leads on."""
        return [one for one in self.places[name].exits if one not in self._outgoing[name]]

    def _verdict(self, place: Place) -> Verdict:
        if place.starts is not None:
            return place.starts
        name = place.node.id
        if not self._incoming[name]:
            return True
        return enough(list(self.sources(name).values()), place.quorum or 1)


def enough(verdicts: Sequence[Verdict], quorum: int) -> Verdict:
    """Whether at least `quorum` of them hold."""
    certain = sum(verdict is True for verdict in verdicts)
    open_ones = [verdict for verdict in verdicts if isinstance(verdict, str)]
    if certain >= quorum:
        return True
    if certain + len(open_ones) < quorum:
        return False
    if quorum - certain == 1:
        return " or ".join(open_ones) if len(open_ones) <= FEW else f"true in [{', '.join(open_ones)}]"
    counted = ", ".join(f"({one} ? 1 : 0)" for one in open_ones)
    return f"$sum([{counted}]) >= {quorum - certain}"


def gathered(values: Mapping[str, Verdict], nodes: str, *, alone: bool, most: int | None = None) -> str:
    """An object of the outputs of those nodes whose verdict holds, at most `most` of them, the first ones first; the
    output itself where `alone` and there is only one."""
    certain = [name for name, verdict in values.items() if verdict is True]
    if alone and len(values) == len(certain) == 1:
        return member(nodes, certain[0])
    entries = {name: f"{literal(name)}: {member(nodes, name)}" for name in values}
    if len(values) == len(certain) and (most is None or most >= len(values)):
        return "{" + ", ".join(entries.values()) + "}"
    listed = "[" + ", ".join(_when(values[name], entry) for name, entry in entries.items()) + "]"
    found = f"$merge({listed if most is None else f'[{listed}[[0..{most - 1}]]]'})"
    if not alone or len(certain) > 1:
        return found
    return single(found)


def single(found: str) -> str:
    """The only member of an object, or the object."""
    return f"($live := {found}; $count($keys($live)) = 1 ? $lookup($live, $keys($live)[0]) : $live)"


def _when(verdict: Verdict, entry: str) -> str:
    return f"{verdict} ? {{{entry}}}" if isinstance(verdict, str) else f"{{{entry}}}"
