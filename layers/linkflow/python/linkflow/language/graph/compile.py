"""A checked graph becomes a program: one Graph state, each node a machine of a single state."""

from collections.abc import Mapping
from hashlib import sha256

import msgspec

from linkflow.language.graph.catalogue import Catalogue, Wiring
from linkflow.language.graph.definition import GraphDefinition, NodeDefinition
from linkflow.language.graph.flow import ErrorFlow, GraphFlow, InputFlow
from linkflow.language.graph.template import compile_template
from linkflow.language.json import Json
from linkflow.language.program import (
    Catcher,
    Edge,
    Graph,
    GraphNode,
    Machine,
    Pass,
    Program,
    Retrier,
    State,
    address_of,
)

MANUAL = "manual"
GRAPH = "graph"
"""The name of the one state that a graph's root machine has."""


def content_hash(definition: Json) -> str:
    """Names a definition by its content: SHA-256 of its JSON with sorted keys."""
    return sha256(msgspec.json.encode(definition, order="sorted")).hexdigest()


def compile_graph(definition: GraphDefinition, catalogue: Catalogue, content: str) -> Program:
    """`definition` has passed `check`; `content` is its hash."""
    incoming: dict[str, list[Edge]] = {}
    outgoing: dict[str, list[Edge]] = {}
    for drawn in definition.edges:
        edge = Edge(drawn.source, drawn.target, drawn.branch)
        incoming.setdefault(edge.target, []).append(edge)
        outgoing.setdefault(edge.source, []).append(edge)
    nodes = {node.id: _compile_node(node, incoming, outgoing, catalogue) for node in definition.nodes}
    graph = Graph(name=GRAPH, flow=InputFlow(), nodes=nodes)
    root = Machine("", GRAPH, {GRAPH: graph})
    machines = {"": root} | {node.machine.address: node.machine for node in nodes.values()}
    return Program(content, "graph", root, machines, definition.settings.timeout, _manual_start(definition, catalogue))


def _manual_start(definition: GraphDefinition, catalogue: Catalogue) -> str | None:
    """The manual trigger, or else the first trigger: so that a webhook's workflow can be tried by hand."""
    triggers = [node for node in definition.nodes if catalogue[node.type].role == "trigger"]
    triggers.sort(key=lambda node: node.type != MANUAL)
    return triggers[0].id if triggers else None


Edges = Mapping[str, list[Edge]]


def _compile_node(node: NodeDefinition, incoming: Edges, outgoing: Edges, catalogue: Catalogue) -> GraphNode:
    kind = catalogue[node.type]
    machine = Machine(address_of("", GRAPH, node.id), node.id, {node.id: _state(node, catalogue)})
    before, behind = tuple(incoming.get(node.id, ())), tuple(outgoing.get(node.id, ()))
    return GraphNode(machine, before, behind, kind.join(node.config), kind.role == "trigger")


def _state(node: NodeDefinition, catalogue: Catalogue) -> State:
    if node.disabled:
        return Pass(name=node.id, flow=InputFlow())
    wiring = Wiring(node, GraphFlow(compile_template(node.config)), _retry(node), _catch(node))
    return catalogue[node.type].state(wiring)


def _retry(node: NodeDefinition) -> tuple[Retrier, ...]:
    retry = node.retry
    if retry is None or retry.max_attempts == 1:
        return ()
    rule = Retrier(
        ("States.ALL",), retry.interval, retry.max_attempts - 1, retry.backoff, retry.max_interval, retry.jitter
    )
    return (rule,)


def _catch(node: NodeDefinition) -> tuple[Catcher, ...]:
    exits: Mapping[str, str] = {"continue": "default", "branch": "error"}
    if node.on_error == "stop":
        return ()
    return (Catcher(("States.ALL", "States.Runtime"), ErrorFlow(), exit=exits[node.on_error]),)
