"""The document that a node's expressions start from, as far as they use it."""

from collections.abc import Mapping

from linkflow.language.graph.export.expressions import literal, query
from linkflow.language.graph.template import expressions
from linkflow.language.graph.words import ROOTS, roots
from linkflow.language.json import Json


def document(config: Json, known: Mapping[str, str]) -> Json:
    """A template for the roots that `config` uses, out of those that are known (name and expression); None when it
    holds no expressions. `error` is the input's own, where it has one."""
    sources = list(expressions(config))
    if not sources:
        return None
    used = frozenset().union(*map(roots, sources))
    members = {name: known[name] for name in ROOTS if name in used and name in known and name != "error"}
    if "error" not in used:
        return {name: query(source) for name, source in members.items()}
    listed = ", ".join(f"{literal(name)}: {source}" for name, source in members.items())
    around = f', {{"error": {known["error"]}}}' if "error" in known else ""
    own = '$type($input) = "object" and $exists($input.error) ? {"error": $input.error}'
    return query(f"($input := {known['input']}; $merge([{{{listed}}}{around}, {own}]))")
