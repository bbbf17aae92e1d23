"""One node as states: it is asked whether it runs, given what its expressions start from, and what it gives is kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from linkflow.errors import Fault
from linkflow.language.graph.export.expressions import literal, query
from linkflow.language.graph.export.facts import Exportable, Facts
from linkflow.language.graph.export.liveness import Place, Verdict
from linkflow.language.graph.export.port import Port, States
from linkflow.language.graph.export.words import ROOTS, roots
from linkflow.language.graph.template import expressions
from linkflow.language.json import Json

LONGEST_NAME = 80


@dataclass(slots=True)
class Names:
    """State names are unique in a whole definition, bodies included, and have at most 80 characters."""

    taken: set[str] = field(default_factory=set)

    def claim(self, wanted: str) -> str:
        name, number = wanted[:LONGEST_NAME], 2
        while name in self.taken:
            mark = f" {number}"
            name, number = wanted[: LONGEST_NAME - len(mark)] + mark, number + 1
        self.taken.add(name)
        return name


@dataclass(frozen=True, slots=True)
class Memory:
    """The variables of one machine, and what its expressions start from (`roots`: name and expression)."""

    nodes: str
    exits: str
    start: str
    roots: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Desk:
    """What all nodes of an export share."""

    facts: Facts
    catalogue: Mapping[str, Exportable]
    names: Names = field(default_factory=Names)
    warnings: list[Fault] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Standing:
    """A node in its machine. `input` is an expression; `next` is None in a branch of its own."""

    place: Place
    verdict: Verdict
    input: str
    next: str | None


def node_states(desk: Desk, memory: Memory, standing: Standing) -> States:
    node = standing.place.node
    key = node.id
    port = _port(desk, standing, lambda output, leaving: {"nodes": {key: output}, "exits": {key: leaving}})
    entered = desk.names.claim(node.id) if _is_wrapped(desk, standing.place) else None
    own = dict(_wrapped(desk, port, entered) if entered else _own(desk, port))
    if node.name or node.notes:
        own[next(iter(own))]["Comment"] = node.name or node.notes
    begun = _entry(desk, memory, standing, port, next(iter(own)))
    return {**begun, **own, **_end(memory, standing, port)}


def _port(desk: Desk, standing: Standing, outcome: Callable[[Json, Json], Json]) -> Port:
    place = standing.place
    end, inside = desk.names.claim(f"{place.node.id} ends"), standing.next is None
    return Port(
        place.node,
        standing.input,
        end,
        inside,
        outcome,
        desk.names.claim,
        place.path,
        desk.facts.resource,
        desk.warnings,
    )


def _own(desk: Desk, port: Port) -> States:
    if port.node.disabled:
        return {port.name(): {"Type": "Pass", **port.left(port.input_query)}}
    return desk.catalogue[port.node.type].exported(port)


def _is_wrapped(desk: Desk, place: Place) -> bool:
    """Only a Task can catch its failure by itself."""
    node = place.node
    return not node.disabled and node.on_error != "stop" and desk.catalogue[node.type].role in ("pure", "wait")


def _wrapped(desk: Desk, port: Port, name: str) -> States:
    """A Parallel of one branch, which can catch what its states cannot."""
    inner = Port(
        port.node,
        port.input,
        desk.names.claim(f"{name} is done"),
        True,
        lambda output, leaving: {"output": output, "exit": leaving},
        port.claim,
        port.path,
        port.resource,
        port.warnings,
    )
    states = dict(_own(desk, inner))
    first = next(iter(states))
    if inner.joined:
        states[inner.end] = {"Type": "Succeed"}
    branch: dict[str, Json] = {"StartAt": first, "States": states}
    given = port.left(query('$lookup($states.result[0], "output")'), query("$states.result[0].exit"))
    return {name: {"Type": "Parallel", "Branches": [branch], **port.catch(), **given}}


def _entry(desk: Desk, memory: Memory, standing: Standing, port: Port, first: str) -> States:
    """The state that asks whether the node runs and lays out what its expressions start from, where either is due."""
    seen = _document(memory, standing)
    node = standing.place.node
    if isinstance(standing.verdict, str):
        rule: dict[str, Json] = {"Condition": query(standing.verdict), "Next": first}
        skipped = {"nodes": {}, "exits": {node.id: None}}
        port.joined = True
        name = desk.names.claim(f"{node.id} runs?")
        rule |= {} if seen is None else {"Output": seen}
        return {name: {"Type": "Choice", "Choices": [rule], "Default": port.end, "Output": skipped}}
    if seen is None:
        return {}
    return {desk.names.claim(f"{node.id} begins"): {"Type": "Pass", "Output": seen, "Next": first}}


def _document(memory: Memory, standing: Standing) -> Json:
    """What the config's expressions start from, as far as they use it; None when there are none."""
    node = standing.place.node
    used = frozenset().union(*map(roots, expressions(node.config)))
    if node.disabled or not any(True for _ in expressions(node.config)):
        return None
    known = {**memory.roots, "input": standing.input}
    members = {name: known[name] for name in ROOTS if name in used and name in known}
    if "error" not in used:
        return {name: query(source) for name, source in members.items()}
    listed = ", ".join(f"{literal(name)}: {source}" for name, source in members.items())
    error = '$type($input) = "object" and $exists($input.error) ? {"error": $input.error}'
    return query(f"($input := {standing.input}; $merge([{{{listed}}}, {error}]))")


def _end(memory: Memory, standing: Standing, port: Port) -> States:
    """In a line, what the node gave is remembered; a branch hands it to the Parallel around it."""
    if not port.joined:
        return {}
    if standing.next is None:
        return {port.end: {"Type": "Succeed"}}
    return {port.end: {"Type": "Pass", **remembered(memory, "$states.input"), "Next": standing.next}}


def remembered(memory: Memory, source: str) -> dict[str, Json]:
    """Adds what nodes gave to the machine's variables. The next state is handed nothing: it reads variables."""
    names = {"nodes": memory.nodes, "exits": memory.exits}
    assigned = {name: query(f"$merge([${name}, {source}.{part}])") for part, name in names.items()}
    return {"Assign": assigned, "Output": {}}
