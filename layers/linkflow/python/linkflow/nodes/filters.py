"""The `filter` of nodes that wait for something from outside: one expression, judged when something comes."""

from collections.abc import Iterator, Mapping
from typing import Final

from linkflow.errors import Fault
from linkflow.language.graph.template import sole_expression
from linkflow.language.json import Json
from linkflow.language.jsonata import JsonataError

FILTER: Final = "filter"
NO_FILTER: Final = "{{ … }} that gives true for what is wanted; what it cannot be applied to is not. Without it: any."


def filter_faults(config: Mapping[str, Json], example: str) -> Iterator[Fault]:
    """What is wrong with the filter besides its expression, which is checked like all others."""
    written = config.get(FILTER)
    try:
        whole = sole_expression(written) is not None
    except JsonataError:
        return
    if written is not None and not whole:
        told = f"Write the filter as one expression and nothing else, as '{{{{ {example} }}}}'; or leave it out."
        yield Fault(f"$.{FILTER}", "bad_filter", told)
