"""A graph, or a body, as a machine: it begins its memory, goes through its levels, gives what its last nodes gave."""

import re
from collections.abc import Iterator
from typing import Final

from linkflow.errors import Fault
from linkflow.language.graph.definition import Body, NodeDefinition
from linkflow.language.graph.export.desk import Desk, Memory, Standing
from linkflow.language.graph.export.expressions import query
from linkflow.language.graph.export.liveness import Liveness, Place, gathered, single
from linkflow.language.graph.export.port import BOX, States
from linkflow.language.graph.export.states import node_states, remembered
from linkflow.language.graph.template import expressions
from linkflow.language.json import Json

MANY: Final = 200
"""Nodes that one expression names."""

_NODE: Final = re.compile(r"\bnodes\s*\.\s*`?(\w+)")


def machine(
    desk: Desk,
    memory: Memory,
    body: Body,
    path: str = "$",
) -> dict[str, Json]:
    """`StartAt` and `States`. `path` leads to the graph in the definition; that of one inside a node is told apart: its
    output stands in a box, since JSONata takes lists apart that stand in a list of results."""
    places = {node.id: _place(desk, node, f"{path}.nodes[{index}]") for index, node in enumerate(body.nodes)}
    liveness = Liveness(places, body.edges, memory.exits)
    desk.warnings.extend(fault for place in places.values() for fault in _elsewhere(liveness, place))
    levels = liveness.levels()
    start = desk.names.claim("The beginning")
    heads = [desk.names.claim(f"Level {number}") for number in range(1, len(levels) + 1)]
    output = desk.names.claim("The output")
    states: dict[str, dict[str, Json]] = {}
    following = output
    for head, level in zip(reversed(heads), reversed(levels), strict=True):
        stage = _stage(desk, memory, liveness, (head, level, following))
        states = {**stage, **states}
        following = next(iter(stage))
    begun = {"Type": "Pass", "Assign": _beginning(memory), "Output": {}, "Next": following}
    states = {start: begun, **states}
    made = _output(desk, memory, liveness, states)
    states[output] = {"Type": "Succeed", "Output": made if path == "$" else {BOX: made}}
    return {"StartAt": start, "States": states}


def _beginning(memory: Memory) -> dict[str, Json]:
    return {**{name: query(source) for name, source in memory.begins.items()}, memory.nodes: {}, memory.exits: {}}


def _output(desk: Desk, memory: Memory, liveness: Liveness, states: dict[str, dict[str, Json]]) -> Json:
    """What the last nodes gave. Where many may be the last, which they are is written as a variable of the first state:
    an expression has a greatest length."""
    last = {name: verdict for name in liveness.places if (verdict := liveness.last(name)) is not False}
    if len(last) <= MANY:
        return query(gathered(last, memory.nodes, alone=True))
    ends = desk.variables.claim("ends", "_")
    next(iter(states.values()))["Assign"][ends] = {name: liveness.ends(name) for name in last}
    among = f"function($made, $name) {{ $lookup(${memory.exits}, $name) in $lookup(${ends}, $name) }}"
    return query(single(f"$merge([$sift(${memory.nodes}, {among})])"))


def _elsewhere(liveness: Liveness, place: Place) -> Iterator[Fault]:
    """What a node reads of nodes that do not lead to it depends on who is quicker, and in the States Language on the
    level they stand in."""
    known = liveness.places.keys()
    named = {name for source in expressions(place.node.config) for name in _NODE.findall(source) if name in known}
    for name in sorted(named - liveness.before(place.node.id) if named else ()):
        message = f"It reads 'nodes.{name}', which does not lead to it: seen only if '{name}' stands in a level before."
        yield Fault(f"{place.path}.config", "reads_elsewhere", message)


def _place(desk: Desk, node: NodeDefinition, path: str) -> Place:
    kind = desk.catalogue[node.type]
    exits = tuple(kind.exits(node.config))
    if node.on_error == "branch" and not node.disabled:
        exits = (*dict.fromkeys((*exits, "error")),)
    elif node.on_error == "continue" and not node.disabled:
        exits = (*dict.fromkeys((*exits, "default")),)
    join = kind.join(node.config)
    starts = desk.facts.start_at in (None, node.id) if kind.role == "trigger" else None
    return Place(node, exits, path, join.quorum, join.gather, starts)


def _stage(desk: Desk, memory: Memory, liveness: Liveness, stage: tuple[str, list[str], str]) -> States:
    """The states of one level, in order; `stage` is the name of its Parallel, its nodes, and the state behind it."""
    name, level, following = stage
    if len(level) == 1:
        return node_states(desk, memory, _standing(memory, liveness, level[0], following))
    branches: list[Json] = []
    for node in level:
        states = node_states(desk, memory, _standing(memory, liveness, node, None))
        branches.append({"StartAt": next(iter(states)), "States": states})
    given = remembered(memory, "$states.result.nodes", "$states.result.exits")
    return {name: {"Type": "Parallel", "Branches": branches, **given, "Next": following}}


def _standing(memory: Memory, liveness: Liveness, name: str, following: str | None) -> Standing:
    place = liveness.places[name]
    return Standing(place, liveness.verdicts[name], _input(memory, liveness, place), following)


def _input(memory: Memory, liveness: Liveness, place: Place) -> str:
    """The output of the one node before, or an object of those that ran; what the graph was given where none is."""
    sources = liveness.sources(place.node.id)
    if not sources:
        return memory.start
    if len(sources) == 1:
        sources = dict.fromkeys(sources, True)
    return gathered(sources, memory.nodes, alone=not place.gather, most=place.quorum)
