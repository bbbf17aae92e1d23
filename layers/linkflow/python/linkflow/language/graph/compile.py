"""A checked graph becomes a program: one Graph state, each node a machine of its own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

import msgspec

from linkflow.language.graph.catalogue import Catalogue, Wiring
from linkflow.language.graph.definition import Body, Bounds, GraphDefinition, NodeDefinition, Settings
from linkflow.language.graph.flow import ErrorFlow, GraphFlow, InputFlow, Rendered
from linkflow.language.graph.template import compile_template
from linkflow.language.handlers import Catcher, Retrier
from linkflow.language.json import Json
from linkflow.language.program import (
    Edge,
    Graph,
    GraphNode,
    Limit,
    Machine,
    Map,
    Node,
    Outcome,
    Pass,
    Program,
    State,
    Task,
    address_of,
)
from linkflow.language.view import View

DEFAULT = "default"
"""The exit by which most nodes leave."""

MANUAL = "manual"
GRAPH = "graph"
"""The name of the one state that a graph's root machine has."""


def content_hash(definition: Json) -> str:
    """Names a definition by its content: SHA-256 of its JSON with sorted keys."""
    return sha256(msgspec.json.encode(definition, order="sorted")).hexdigest()


def compile_graph(definition: GraphDefinition, catalogue: Catalogue, content: str) -> Program:
    """`definition` has passed `check`; `content` is its hash."""
    compiler = _Compiler(catalogue)
    graph = Graph(name=GRAPH, flow=InputFlow(), nodes=compiler.nodes("", GRAPH, definition))
    root = Machine("", GRAPH, {GRAPH: graph})
    machines = {"": root} | compiler.machines
    start, settings = _manual_start(definition, catalogue), definition.settings
    return Program(
        content,
        "graph",
        root,
        machines,
        settings.timeout,
        settings.clean_up,
        manual_start=start,
        triggers=_triggers(definition, catalogue),
        durability=settings.durability,
        group_steps=settings.group_steps,
        group_seconds=settings.group_seconds,
        error_workflow=settings.error_workflow,
        callers=_callers(settings),
        callbacks=frozenset(event for one in settings.callbacks for event in one.on),
        limits=tuple(limits_of(settings)),
    )


def limits_of(bounds: Bounds) -> Iterator[Limit]:
    """Rates come first: a slot must not be held while the clock is waited for."""
    rate, slots = bounds.rate, bounds.concurrency
    if rate is not None:
        yield Limit("rate", rate.limit, rate.per_seconds, _key(rate.key), rate.when_full)
    if slots is not None:
        yield Limit("concurrency", slots.limit, None, _key(slots.key), slots.when_full)


def _key(template: str | None) -> Rendered | None:
    return None if template is None else Rendered(compile_template(template))


def _triggers(definition: GraphDefinition, catalogue: Catalogue) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for node in definition.nodes:
        if catalogue[node.type].role == "trigger" and not node.disabled:
            found[node.type] = (*found.get(node.type, ()), node.id)
    return found


def _callers(settings: Settings) -> tuple[str, ...] | None:
    if isinstance(settings.callers, list):
        return tuple(settings.callers)
    return None if settings.callers == "any" else ()


def _manual_start(definition: GraphDefinition, catalogue: Catalogue) -> str | None:
    """The manual trigger, or else the first trigger: so that a webhook's workflow can be tried by hand."""
    triggers = [node for node in definition.nodes if catalogue[node.type].role == "trigger"]
    triggers.sort(key=lambda node: node.type != MANUAL)
    return triggers[0].id if triggers else None


@dataclass(slots=True)
class _Compiler:
    """Collects the machines of all nodes, whatever graph they stand in."""

    catalogue: Catalogue
    machines: dict[str, Machine] = field(default_factory=dict)

    def nodes(self, address: str, state: str, body: Body) -> Mapping[str, GraphNode]:
        """The nodes of a graph that runs in `state` of the machine at `address`."""
        incoming: dict[str, list[Edge]] = {}
        outgoing: dict[str, list[Edge]] = {}
        for drawn in body.edges:
            edge = Edge(drawn.source, drawn.target, drawn.branch)
            incoming.setdefault(edge.target, []).append(edge)
            outgoing.setdefault(edge.source, []).append(edge)
        compiled = {}
        for node in body.nodes:
            kind = self.catalogue[node.type]
            machine = self.machine(address_of(address, state, node.id), node)
            before, behind = tuple(incoming.get(node.id, ())), tuple(outgoing.get(node.id, ()))
            compiled[node.id] = GraphNode(machine, before, behind, kind.join(node.config), kind.role == "trigger")
        return compiled

    def machine(self, address: str, node: NodeDefinition) -> Machine:
        states = {state.name: state for state in self.states(address, node)}
        self.machines[address] = machine = Machine(address, node.id, states)
        return machine

    def states(self, address: str, node: NodeDefinition) -> Sequence[State]:
        kind = self.catalogue[node.type]
        if node.disabled:
            return (_disabled(node, kind.exits(node.config)),)
        config = {key: value for key, value in node.config.items() if key not in kind.bodies and key not in kind.late}

        def bodies(key: str, machine: str, state: str) -> Mapping[str, GraphNode]:
            return self.nodes(machine, state, Body.model_validate(node.config[key]))

        flow = GraphFlow(compile_template(config))
        wiring = Wiring(node, flow, _retry(node), _catch(node), address, bodies)
        states = [_durable(node, state) for state in kind.states(wiring)]
        for state in states:
            if isinstance(state, Map):
                self.machines[state.processor.address] = state.processor
        return states


def _disabled(node: NodeDefinition, exits: Sequence[str]) -> State:
    """Hands its input on, by the first exit that it has when it is enabled."""
    leaving = exits[0] if exits else DEFAULT
    if leaving == DEFAULT:
        return Pass(name=node.id, flow=InputFlow())

    def evaluation(_given: Json, view: View) -> Outcome:
        return Outcome(view.input, leaving)

    return Node(name=node.id, flow=InputFlow(), type=node.type, evaluation=evaluation)


def _durable(node: NodeDefinition, state: State) -> State:
    return replace(state, durability=node.durability) if node.durability and isinstance(state, Task) else state


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
