"""The workflows that are measured."""

from itertools import pairwise
from typing import Any

START = {"id": "start", "type": "manual"}


def chain(length: int, node_type: str, config: dict[str, Any] | None = None) -> dict[str, Any]:
    """One node after the other."""
    names = ["start", *(f"n{index}" for index in range(length))]
    nodes = [{"id": name, "type": node_type, "config": config or {}} for name in names[1:]]
    edges = [{"source": source, "target": target} for source, target in pairwise(names)]
    return {"nodes": [START, *nodes], "edges": edges}


def fan(width: int) -> dict[str, Any]:
    """Many durable tasks at once, and a join."""
    names = [f"n{index}" for index in range(width)]
    nodes = [{"id": name, "type": "no_op"} for name in names]
    out = [{"source": "start", "target": name} for name in names]
    back = [{"source": name, "target": "join"} for name in names]
    return {"nodes": [START, *nodes, {"id": "join", "type": "merge"}], "edges": [*out, *back]}
