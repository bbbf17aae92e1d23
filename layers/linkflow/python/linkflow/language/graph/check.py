"""Everything that is wrong with a graph, at once, each with its path and how to mend it; before anything is saved.

Errors keep a graph from being saved; warnings (a node that can never run) do not.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from pydantic import ValidationError

from linkflow.errors import Fault
from linkflow.language.graph.catalogue import Catalogue
from linkflow.language.graph.definition import EdgeDefinition, GraphDefinition, NodeDefinition
from linkflow.language.graph.template import faults
from linkflow.language.json import Json


@dataclass(frozen=True, slots=True)
class Checked:
    """`definition` is there when there are no `errors`."""

    definition: GraphDefinition | None
    errors: Sequence[Fault] = ()
    warnings: Sequence[Fault] = ()


def check_graph(document: Json, catalogue: Catalogue) -> Checked:
    try:
        definition = GraphDefinition.model_validate(document)
    except ValidationError as error:
        return Checked(None, list(schema_faults(error)))
    errors = [
        *_node_faults(definition, catalogue),
        *_edge_faults(definition, catalogue),
        *_cycle_faults(definition),
    ]
    warnings = [] if errors else list(_unreachable(definition, catalogue))
    return Checked(None if errors else definition, errors, warnings)


def schema_faults(error: ValidationError, root: str = "$") -> Iterator[Fault]:
    """A model's complaints as faults, the path as in JSONPath: `$.nodes[2].timeout`."""
    for one in error.errors(include_url=False, include_context=False, include_input=False):
        path = root + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in one["loc"])
        yield Fault(path, one["type"], one["msg"])


def _node_faults(definition: GraphDefinition, catalogue: Catalogue) -> Iterator[Fault]:
    seen = Counter(node.id for node in definition.nodes)
    for index, node in enumerate(definition.nodes):
        path = f"$.nodes[{index}]"
        if seen[node.id] > 1:
            yield Fault(f"{path}.id", "duplicate_id", f"{seen[node.id]} nodes have the id '{node.id}'; ids are unique.")
        if node.type not in catalogue:
            known = ", ".join(sorted(catalogue))
            yield Fault(f"{path}.type", "unknown_type", f"There is no node type '{node.type}'. Known: {known}.")
            continue
        yield from _config_faults(node, f"{path}.config", catalogue)


def _config_faults(node: NodeDefinition, path: str, catalogue: Catalogue) -> Iterator[Fault]:
    for bad in faults(node.config, path):
        yield Fault(bad.path, "bad_expression", bad.message)
    for fault in catalogue[node.type].faults(node.config):
        yield Fault(path + fault.path.removeprefix("$"), fault.code, fault.message)


def _edge_faults(definition: GraphDefinition, catalogue: Catalogue) -> Iterator[Fault]:
    nodes = {node.id: node for node in definition.nodes}
    seen: set[tuple[str, str, str]] = set()
    for index, edge in enumerate(definition.edges):
        path = f"$.edges[{index}]"
        for end, name in (("source", edge.source), ("target", edge.target)):
            if name not in nodes:
                yield Fault(f"{path}.{end}", "dangling_edge", f"There is no node '{name}'.")
        if (edge.source, edge.target, edge.branch) in seen:
            yield Fault(path, "duplicate_edge", f"'{edge.source}' and '{edge.target}' are joined like this already.")
        seen.add((edge.source, edge.target, edge.branch))
        yield from _branch_faults(edge, nodes, path, catalogue)


def _branch_faults(
    edge: EdgeDefinition, nodes: dict[str, NodeDefinition], path: str, catalogue: Catalogue
) -> Iterator[Fault]:
    source, target = nodes.get(edge.source), nodes.get(edge.target)
    if target is not None and target.type in catalogue and catalogue[target.type].role == "trigger":
        yield Fault(f"{path}.target", "edge_into_trigger", f"'{target.id}' is a trigger; nothing can lead to it.")
    if source is None or source.type not in catalogue:
        return
    branches = list(catalogue[source.type].exits(source.config))
    if source.disabled:
        branches = ["default"]
    if source.on_error == "branch":
        branches.append("error")
    if edge.branch not in branches:
        known = ", ".join(f"'{branch}'" for branch in branches)
        hint = " Set its on_error to 'branch' for that." if edge.branch == "error" else ""
        yield Fault(
            f"{path}.branch",
            "unknown_branch",
            f"Node '{source.id}' has no branch '{edge.branch}'; it has {known or 'none'}.{hint}",
        )


def _cycle_faults(definition: GraphDefinition) -> Iterator[Fault]:
    behind: dict[str, set[str]] = {node.id: set() for node in definition.nodes}
    for edge in definition.edges:
        if edge.source in behind and edge.target in behind:
            behind[edge.target].add(edge.source)
    try:
        TopologicalSorter(behind).prepare()
    except CycleError as error:
        circle = " → ".join(reversed(error.args[1]))
        yield Fault("$.edges", "cycle", f"These nodes wait for one another: {circle}. Take one of the edges away.")


def _unreachable(definition: GraphDefinition, catalogue: Catalogue) -> Iterator[Fault]:
    """Warnings for nodes that no trigger leads to, in a graph that has triggers."""
    ahead: dict[str, list[str]] = {}
    for edge in definition.edges:
        ahead.setdefault(edge.source, []).append(edge.target)
    reached: set[str] = set()
    front = [node.id for node in definition.nodes if catalogue[node.type].role == "trigger"]
    if not front:
        return
    while front:
        name = front.pop()
        if name not in reached:
            reached.add(name)
            front.extend(ahead.get(name, ()))
    for index, node in enumerate(definition.nodes):
        if node.id not in reached:
            yield Fault(f"$.nodes[{index}]", "unreachable", f"No trigger leads to '{node.id}'.")
