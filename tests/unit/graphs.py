"""Graphs for tests of the core: written short, compiled as the API would."""

from linkflow.language.graph.check import check_graph
from linkflow.language.graph.compile import compile_graph
from linkflow.language.json import Json
from linkflow.language.program import Program
from linkflow.nodes.catalog import NODES


def node(name: str, kind: str = "no_op", config: Json = None, **more: Json) -> dict[str, Json]:
    return {"id": name, "type": kind, "config": config or {}, **more}


def graph(nodes: list[dict[str, Json]], *edges: str, **settings: Json) -> dict[str, Json]:
    """Edges as `a -> b` or `a -true-> b`."""
    drawn = []
    for edge in edges:
        source, arrow, target = edge.split()
        branch = arrow.strip("->") or "default"
        drawn.append({"source": source, "target": target, "branch": branch})
    return {"nodes": nodes, "edges": drawn, "settings": settings}


def program(definition: dict[str, Json]) -> Program:
    checked = check_graph(definition, NODES)
    assert checked.definition is not None, checked.errors
    return compile_graph(checked.definition, NODES, "hash")
