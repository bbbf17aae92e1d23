"""Everything that is wrong with a graph, at once, each with its path and how to mend it; before anything is saved.

Errors keep a graph from being saved; warnings (a node that can never run) do not.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import reduce
from graphlib import CycleError, TopologicalSorter
from operator import getitem
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from linkflow.errors import Fault
from linkflow.language.graph.catalogue import Catalogue
from linkflow.language.graph.definition import Body, Bounds, EdgeDefinition, GraphDefinition, NodeDefinition
from linkflow.language.graph.template import closest, doubts, faults, has_expression
from linkflow.language.graph.words import ROOTS
from linkflow.language.json import Json

M = TypeVar("M", bound=Body)
_LONGEST_CIRCLE: Final = 12


@dataclass(frozen=True, slots=True)
class Checked:
    """`definition` is there when there are no `errors`."""

    definition: GraphDefinition | None
    errors: Sequence[Fault] = ()
    warnings: Sequence[Fault] = ()


def check_graph(document: Json, catalogue: Catalogue) -> Checked:
    definition, errors = _read(GraphDefinition, document, "$")
    if definition is None:
        return Checked(None, errors)
    places = list(_places(definition, catalogue))
    errors += [fault for place in places for fault in _place_faults(place, catalogue)]
    errors += _duplicates(places)
    errors += key_faults(definition.settings, "$.settings")
    warnings = [] if errors else [*_unreachable(definition, catalogue), *_doubts(places, catalogue)]
    return Checked(None if errors else definition, errors, warnings)


def key_faults(bounds: Bounds, place: str) -> Iterator[Fault]:
    """What is wrong with the keys of limits."""
    for name, key in (("concurrency", bounds.concurrency), ("rate", bounds.rate)):
        if key is not None and key.key is not None:
            path = f"{place}.{name}.key"
            for bad in faults(key.key, path):
                yield Fault(bad.path, "bad_expression", bad.message)
            if not has_expression(key.key):
                message = "This is the same for every execution; write an expression such as {{ trigger.customer }}."
                yield Fault(path, "constant_key", message)


@dataclass(frozen=True, slots=True)
class _Place:
    """A graph of the definition: the whole, or one inside a node. Without a `body` what stands there is none, for the
    reasons in `faults`."""

    path: str
    body: Body | None
    faults: Sequence[Fault] = ()
    inner: bool = False


def _places(body: Body, catalogue: Catalogue, path: str = "$", *, inner: bool = False) -> Iterator[_Place]:
    yield _Place(path, body, inner=inner)
    for index, node in enumerate(body.nodes):
        kind = catalogue.get(node.type)
        for key in kind.bodies if kind is not None else ():
            if key in node.config:
                below = f"{path}.nodes[{index}].config.{key}"
                found, wrong = _read(Body, node.config[key], below)
                yield _Place(below, None, wrong, inner=True)
                if found is not None:
                    yield from _places(found, catalogue, below, inner=True)


def _read(model: type[M], document: Json, root: str) -> tuple[M | None, list[Fault]]:
    """What the document describes, and what is wrong with that. Fields that nobody knows hide no other fault."""
    try:
        return model.model_validate(document), []
    except ValidationError as error:
        wrong = list(schema_faults(error, root, model))
        unknown = [one["loc"] for one in error.errors() if one["type"] == "extra_forbidden"]
    kept = _without(document, unknown) if len(unknown) == len(wrong) else None
    if kept is None:
        return None, wrong
    found, others = _read(model, kept, root)
    return found, wrong + others


def _without(document: Json, places: Sequence[tuple[int | str, ...]]) -> Json:
    """None: one of the places is not one of the document's. (Where there is a choice of models, the place names it.)"""
    kept = deepcopy(document)
    try:
        for *way, last in places:
            del reduce(getitem, way, kept)[last]
    except (LookupError, TypeError):
        return None
    return kept


def _place_faults(place: _Place, catalogue: Catalogue) -> Iterator[Fault]:
    yield from place.faults
    if place.body is not None:
        yield from _node_faults(place.body, place.path, catalogue, inner=place.inner)
        yield from _edge_faults(place.body, place.path, catalogue)
        yield from _cycle_faults(place.body, place.path)


def _duplicates(places: Sequence[_Place]) -> Iterator[Fault]:
    """Ids are unique in the whole workflow, so that `nodes.<id>` means one node, wherever it is written."""
    found = [
        (node.id, f"{place.path}.nodes[{index}].id")
        for place in places
        for index, node in enumerate(place.body.nodes if place.body else ())
    ]
    seen = Counter(name for name, _ in found)
    for name, path in found:
        if seen[name] > 1:
            yield Fault(path, "duplicate_id", f"{seen[name]} nodes have the id '{name}'; ids are unique.")


def schema_faults(error: ValidationError, root: str = "$", model: type[BaseModel] | None = None) -> Iterator[Fault]:
    """A model's complaints as faults, the path as in JSONPath: `$.nodes[2].timeout`. Whoever wrote a field that is not
    there is told which there are, if the `model` is known."""
    for one in error.errors(include_url=False, include_context=False, include_input=False):
        path = root + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in one["loc"])
        message = one["msg"]
        if one["type"] == "extra_forbidden":
            message = _unknown(str(one["loc"][-1]), _fields(model, one["loc"][:-1]))
        yield Fault(path, one["type"], message)


def _fields(model: type[BaseModel] | None, way: Sequence[int | str]) -> Collection[str]:
    """The fields of the model that is found that way in another one."""
    for step in way:
        if isinstance(step, str) and model is not None:
            field = model.model_fields.get(step)
            model = None if field is None else next(_models(field.annotation), None)
    return () if model is None else model.model_fields


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for one in get_args(annotation):
        yield from _models(one)


def _unknown(name: str, known: Collection[str]) -> str:
    said = f"There is no field '{name}' here{closest(name, known)}"
    return f"{said} Known: {', '.join(known)}." if known else said


def _node_faults(body: Body, path: str, catalogue: Catalogue, *, inner: bool) -> Iterator[Fault]:
    for index, node in enumerate(body.nodes):
        place = f"{path}.nodes[{index}]"
        if node.type not in catalogue:
            known = ", ".join(sorted(catalogue))
            yield Fault(f"{place}.type", "unknown_type", f"There is no node type '{node.type}'. Known: {known}.")
            continue
        if inner and catalogue[node.type].role == "trigger":
            yield Fault(
                f"{place}.type", "inner_trigger", "Only the workflow itself has triggers, not a graph in a node."
            )
        yield from _config_faults(node, f"{place}.config", catalogue)


def _config_faults(node: NodeDefinition, path: str, catalogue: Catalogue) -> Iterator[Fault]:
    config = {key: value for key, value in node.config.items() if key not in catalogue[node.type].bodies}
    for bad in faults(config, path):
        yield Fault(bad.path, "bad_expression", bad.message)
    for fault in catalogue[node.type].faults(node.config):
        yield Fault(path + fault.path.removeprefix("$"), fault.code, fault.message)


def _edge_faults(body: Body, graph: str, catalogue: Catalogue) -> Iterator[Fault]:
    nodes = {node.id: node for node in body.nodes}
    seen: set[tuple[str, str, str]] = set()
    for index, edge in enumerate(body.edges):
        path = f"{graph}.edges[{index}]"
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


def _cycle_faults(body: Body, path: str) -> Iterator[Fault]:
    behind: dict[str, set[str]] = {node.id: set() for node in body.nodes}
    for edge in body.edges:
        if edge.source in behind and edge.target in behind:
            behind[edge.target].add(edge.source)
    try:
        TopologicalSorter(behind).prepare()
    except CycleError as error:
        told = f"These nodes lead back to where they begin: {_circle(error.args[1])}. Take one of the edges away."
        yield Fault(f"{path}.edges", "cycle", told)


def _circle(names: Sequence[str]) -> str:
    """The way round, in the direction of the edges; of a long one, its beginning."""
    if len(names) <= _LONGEST_CIRCLE:
        return " → ".join(names)
    return f"{' → '.join(names[:_LONGEST_CIRCLE])} → … ({len(names) - 1} nodes)"


def _doubts(places: Sequence[_Place], catalogue: Catalogue) -> Iterator[Fault]:
    """Warnings for expressions that can never find anything."""
    nodes = [(place, index, node) for place in places if place.body for index, node in enumerate(place.body.nodes)]
    names = [node.id for _, _, node in nodes]
    for place, index, node in nodes:
        config = {key: value for key, value in node.config.items() if key not in catalogue[node.type].bodies}
        roots = {*ROOTS, *catalogue[node.type].binds}
        for doubt in doubts(config, roots, names, f"{place.path}.nodes[{index}].config"):
            yield Fault(doubt.path, "finds_nothing", doubt.message)


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
