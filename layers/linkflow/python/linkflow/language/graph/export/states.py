"""One node as states: it is asked whether it runs, given what its expressions start from, and what it gives is kept."""

from dataclasses import replace
from functools import partial

from linkflow.language.graph.definition import Body, NodeDefinition
from linkflow.language.graph.export.desk import Desk, Memory, Standing
from linkflow.language.graph.export.documents import document
from linkflow.language.graph.export.expressions import joined, query
from linkflow.language.graph.export.liveness import Place
from linkflow.language.graph.export.port import Inside, Kept, Port, States
from linkflow.language.json import Json


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
        roots=memory.roots,
        variable=partial(desk.variables.claim, gap="_"),
        walk=partial(_body, desk, memory, place),
    )


def _body(desk: Desk, memory: Memory, place: Place, key: str, inside: Inside) -> dict[str, Json]:
    nodes, exits = (desk.variables.claim(name, "_") for name in ("nodes", "exits"))
    around = {**memory.roots, "nodes": f"$merge([{memory.roots['nodes']}, ${nodes}])"}
    inner = Memory(nodes, exits, f"${inside.start}", inside.begins, {**around, **inside.roots})
    body = Body.model_validate(place.node.config[key])
    return desk.walk(desk, inner, body, f"{place.path}.config.{key}")


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
        leaving = next(iter(desk.catalogue[port.node.type].exits(port.node.config)), "default")
        return {port.name(): {"Type": "Pass", **port.left(port.input_query, leaving)}}
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
    node = standing.place.node
    known = {**memory.roots, "input": standing.input}
    seen = None if node.disabled else document(_config(desk, node), known)
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


def _config(desk: Desk, node: NodeDefinition) -> dict[str, Json]:
    bodies = desk.catalogue[node.type].bodies
    return {name: value for name, value in node.config.items() if name not in bodies}
