"""What the language needs to know of node types. The catalogue itself stands to the right and is an argument."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from linkflow.errors import Fault
from linkflow.language.graph.definition import NodeDefinition
from linkflow.language.graph.flow import GraphFlow
from linkflow.language.json import Json
from linkflow.language.program import Catcher, Join, Retrier, State

Role = Literal["trigger", "pure", "task", "wait"]


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a node's state has whatever its type: how data flows, and what happens when it fails."""

    node: NodeDefinition
    flow: GraphFlow
    retry: tuple[Retrier, ...]
    catch: tuple[Catcher, ...]


class NodeType(Protocol):
    @property
    def role(self) -> Role: ...

    def faults(self, config: Mapping[str, Json]) -> Sequence[Fault]:
        """What is wrong in a config, paths starting at `$`; values that hold expressions are judged when they run."""
        ...

    def exits(self, config: Mapping[str, Json]) -> Sequence[str]:
        """The branches its edges may name, besides `error`."""
        ...

    def join(self, config: Mapping[str, Json]) -> Join: ...

    def state(self, wiring: Wiring) -> State:
        """The node as a state of the program."""
        ...


Catalogue = Mapping[str, NodeType]
