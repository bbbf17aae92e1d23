"""What the language needs to know of node types. The catalogue itself stands to the right and is an argument."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from linkflow.errors import Fault
from linkflow.language.graph.definition import NodeDefinition
from linkflow.language.graph.flow import GraphFlow
from linkflow.language.handlers import Catcher, Retrier
from linkflow.language.json import Json
from linkflow.language.program import GraphNode, Join, State

Role = Literal["trigger", "pure", "task", "wait", "container"]


class Bodies(Protocol):
    """The graphs inside a node, compiled on demand."""

    def __call__(self, key: str, machine: str, state: str) -> Mapping[str, GraphNode]:
        """The nodes of the body `key`, which run in the state `state` of the machine at the address `machine`."""
        ...


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a node's states have whatever its type: the address of their machine, how data flows, what happens when
    they fail, and the graphs inside."""

    node: NodeDefinition
    flow: GraphFlow
    retry: tuple[Retrier, ...]
    catch: tuple[Catcher, ...]
    address: str
    bodies: Bodies


class NodeType(Protocol):
    @property
    def role(self) -> Role: ...

    @property
    def bodies(self) -> Sequence[str]:
        """The parameters that hold a graph."""
        ...

    @property
    def late(self) -> Collection[str]:
        """Parameters whose expressions are judged later than the rest, by the node itself."""
        ...

    @property
    def binds(self) -> Collection[str]:
        """Roots that its own expressions may start from besides those that all know."""
        ...

    def faults(self, config: Mapping[str, Json]) -> Sequence[Fault]:
        """What is wrong in a config, paths starting at `$`; values that hold expressions are judged when they run."""
        ...

    def exits(self, config: Mapping[str, Json]) -> Sequence[str]:
        """The branches its edges may name, besides `error`."""
        ...

    def join(self, config: Mapping[str, Json]) -> Join: ...

    def states(self, wiring: Wiring) -> Sequence[State]:
        """The node as the states of its machine, which starts with the first one, named by the node's id."""
        ...


Catalogue = Mapping[str, NodeType]
