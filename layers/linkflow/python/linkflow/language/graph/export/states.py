"""One node as states: it is asked whether it runs, given what its expressions start from, and what it gives is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from linkflow.errors import Fault
from linkflow.language.graph.export.expressions import joined, literal, query
from linkflow.language.graph.export.facts import Exportable, Facts
from linkflow.language.graph.export.liveness import Place, Verdict
from linkflow.language.graph.export.port import Kept, Port, States
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
    port = _port(desk, memory, standing)
    wrapping = desk.names.claim(node.id) if _is_wrapped(desk, standing.place) else None
    own = dict(_wrapped(desk, port, wrapping) if wrapping else _own(desk, port))
    if node.name or node.notes:
        own[next(iter(own))]["Comment"] = node.name or node.notes
    states = {**_entry(desk, memory, standing, port, next(iter(own))), **own}
    return {**states, port.end: {"Type": "Succeed"}} if port.inside and port.joined else states


def _port(desk: Desk, memory: Memory, standing: Standing) -> Port:
    """In a line, a node's last state remembers what it gave; in a branch, the Parallel around it does."""
    place, inside = standing.place, standing.next is None
    return Port(
        node=place.node,
        input=standing.input,
        end=standing.next or desk.names.claim(f"{place.node.id} ends"),
        inside=inside,
        kept=_handed(place.node.id) if inside else _remembered(memory, place.node.id),
        claim=desk.names.claim,
        path=place.path,
        resource=desk.facts.resource,
        warnings=desk.warnings,
    )


def _handed(node: str) -> Kept:
    return lambda output, leaving: {"Output": {"nodes": {node: output}, "exits": {node: leaving}}}


def _remembered(memory: Memory, node: str) -> Kept:
    def kept(output: Json, leaving: Json) -> dict[str, Json]:
        return remembered(memory, joined({node: output}), joined({node: leaving}))

    return kept


def remembered(memory: Memory, nodes: str | None, exits: str) -> dict[str, Json]:
    """Adds what nodes gave, and their exits, to the machine's variables. The next state is handed nothing: it reads
    variables."""
    assigned = {} if nodes is None else {memory.nodes: query(f"$merge([${memory.nodes}, {nodes}])")}
    return {"Assign": {**assigned, memory.exits: query(f"$merge([${memory.exits}, {exits}])")}, "Output": {}}


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
    inner = replace(
        port,
        end=desk.names.claim(f"{name} is done"),
        inside=True,
        kept=lambda output, leaving: {"Output": {"output": output, "exit": leaving}},
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
    laid: dict[str, Json] = {} if seen is None else {"Output": seen}
    if isinstance(standing.verdict, str):
        rule = {"Condition": query(standing.verdict), "Next": first, **laid}
        skipped: dict[str, Json] = {"Output": {"nodes": {}, "exits": {node.id: None}}}
        if not port.inside:
            skipped = remembered(memory, None, joined({node.id: None}))
        port.joined = True
        return {
            desk.names.claim(f"{node.id} runs?"): {"Type": "Choice", "Choices": [rule], "Default": port.end, **skipped}
        }
    return {desk.names.claim(f"{node.id} begins"): {"Type": "Pass", **laid, "Next": first}} if laid else {}


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
