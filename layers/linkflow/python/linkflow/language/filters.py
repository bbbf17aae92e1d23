"""Conditions on what comes from outside (a signal, an event): JSONata, judged when it comes, which may be years later.

A condition starts from what came, under its root's name, and from what was `seen` when the wait began: only the values
that it mentions, so that whoever judges it needs nothing else, and judges the same whenever it is asked. What a
condition cannot be applied to does not match it: a stray thing of another shape harms nobody.
"""

import re
from collections.abc import Mapping
from typing import Final

from linkflow.language import jsonata
from linkflow.language.graph.words import roots, tokens
from linkflow.language.json import Json

_NODE: Final = re.compile(r"\bnodes\s*\.\s*(\w+)")


def seen(condition: str, document: Mapping[str, Json]) -> dict[str, Json]:
    """The part of `document` that the condition may look at."""
    found = {root: document[root] for root in roots(condition) if root in document}
    nodes = found.get("nodes")
    if isinstance(nodes, dict):
        named = _NODE.findall(condition)
        if len(named) == sum(token.text == "nodes" for token in tokens(condition)):
            found["nodes"] = {name: nodes[name] for name in dict.fromkeys(named) if name in nodes}
    return dict(sorted(found.items()))


def holds(condition: str | None, about: Mapping[str, Json], now: float) -> bool:
    """Whether the condition is true of `about`, which holds what came and what was seen. Without a condition: yes."""
    if condition is None:
        return True
    try:
        return jsonata.compile(condition).evaluate(about, {}, now, 0) is True
    except jsonata.JsonataError:
        return False
