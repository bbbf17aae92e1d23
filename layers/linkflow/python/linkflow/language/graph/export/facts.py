"""What an export is told besides the graph, and what comes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from linkflow.errors import Fault
from linkflow.language.graph.catalogue import NodeType
from linkflow.language.graph.export.port import Port, States
from linkflow.language.json import Json


@dataclass(frozen=True, slots=True)
class Facts:
    """What the exported machine cannot know, written into it.

    `trigger` is the word behind `execution.trigger`; `resource` makes a Task's Resource out of a node type, such as
    `linkflow:{type}`; only the trigger node `start_at` runs, all of them without it, as in an execution."""

    workspace: str
    version: int
    trigger: str = "manual"
    resource: str = "linkflow:{type}"
    start_at: str | None = None


@dataclass(frozen=True, slots=True)
class Exported:
    """`warnings` tell what the States Language cannot say as the graph does; their paths are the graph's."""

    document: dict[str, Json]
    warnings: Sequence[Fault]


class Exportable(NodeType, Protocol):
    """A node type that can be written in the States Language."""

    def exported(self, port: Port) -> States:
        """The node's states by name, the first one first; each ends as the port says."""
        ...


ExportCatalogue = Mapping[str, Exportable]
