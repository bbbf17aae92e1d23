"""Programs by content: compiled at first sight, then kept, since a version never changes."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import msgspec

from linkflow.language.asl import compile_asl
from linkflow.language.asl.settings import limits_in
from linkflow.language.graph.compile import compile_graph
from linkflow.language.graph.definition import GraphDefinition
from linkflow.language.program import Manner, Program
from linkflow.nodes.base import RESOURCE, BaseNode, TaskNode
from linkflow.stores.records import WorkflowVersion
from linkflow.stores.workflows import Workflows

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")
KEPT = 512
"""Programs a process keeps; the least recently used goes first."""


class Programs:
    __slots__ = ("_address", "_contents", "_kept", "_manners", "_nodes", "_workflows")

    def __init__(self, workflows: Workflows, nodes: Mapping[str, type[BaseNode]], address: str = "") -> None:
        """`address`: where this installation is reached from outside."""
        self._address = address
        self._workflows = workflows
        self._nodes = nodes
        self._manners = {
            RESOURCE + name: Manner(kind.at_most_once, kind.isolated)
            for name, kind in nodes.items()
            if issubclass(kind, TaskNode)
        }
        self._kept: OrderedDict[str, Program] = OrderedDict()
        self._contents: OrderedDict[tuple[str, str, int], str] = OrderedDict()

    async def numbered(self, workspace: str, workflow: str, version: int) -> Program:
        """The program of a stored version, whatever its content. Raises `NotFound`."""
        key = (workspace, workflow, version)
        content = self._contents.get(key)
        if content is None:
            program = self.of(await self._workflows.version(*key))
            _keep(self._contents, key, program.hash)
            return program
        return await self.get(*key, content)

    async def get(self, workspace: str, workflow: str, version: int, content: str) -> Program:
        """The program of a stored version, whose content hash is `content`. Raises `NotFound`."""
        program = self._kept.get(content)
        if program is None:
            program = self.of(await self._workflows.version(workspace, workflow, version))
        else:
            self._kept.move_to_end(content)
        return program

    def of(self, version: WorkflowVersion) -> Program:
        program = self._kept.get(version.hash)
        if program is None:
            program = replace(self._compiled(version), address=self._address)
            _keep(self._kept, version.hash, program)
        return program

    def _compiled(self, version: WorkflowVersion) -> Program:
        document = msgspec.json.decode(version.definition)
        if version.dialect == "asl":
            program = replace(compile_asl(document, self._manners), limits=limits_in(document))
            return replace(program, hash=version.hash, durability="end") if version.express else program
        return compile_graph(GraphDefinition.model_validate(document), self._nodes, version.hash)


def _keep(kept: OrderedDict[_Key, _Value], key: _Key, value: _Value) -> None:
    kept[key] = value
    if len(kept) > KEPT:
        kept.popitem(last=False)
