"""What the nodes of an export share: facts, names, warnings; and what those of one machine do: its variables."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from linkflow.errors import Fault
from linkflow.language.graph.definition import Body
from linkflow.language.graph.export.facts import Exportable, Facts
from linkflow.language.graph.export.liveness import Place, Verdict
from linkflow.language.json import Json

LONGEST_NAME: Final = 80


@dataclass(slots=True)
class Names:
    """State names are unique in a whole definition, bodies included, and have at most 80 characters.
    Variables of a body are given names that nothing around it bears."""

    taken: set[str] = field(default_factory=set)

    def claim(self, wanted: str, gap: str = " ") -> str:
        name, number = wanted[:LONGEST_NAME], 2
        while name in self.taken:
            mark = f"{gap}{number}"
            name, number = wanted[: LONGEST_NAME - len(mark)] + mark, number + 1
        self.taken.add(name)
        return name


@dataclass(frozen=True, slots=True)
class Memory:
    """The variables of one machine. `start` holds what it was given, `begins` says what its variables begin with;
    `roots` are what its expressions start from (name and expression)."""

    nodes: str
    exits: str
    start: str
    begins: Mapping[str, str]
    roots: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Standing:
    """A node in its machine. `input` is an expression; `next` is None in a branch of its own."""

    place: Place
    verdict: Verdict
    input: str
    next: str | None


@dataclass(frozen=True, slots=True)
class Desk:
    """`walk` makes a machine of a graph inside a node, whose path comes last."""

    facts: Facts
    catalogue: Mapping[str, Exportable]
    walk: Callable[["Desk", Memory, Body, str], dict[str, Json]]
    names: Names = field(default_factory=Names)
    variables: Names = field(default_factory=Names)
    warnings: list[Fault] = field(default_factory=list)
