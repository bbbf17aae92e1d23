"""What a state machine says to LinkFlow alone, in its top-level field `LinkFlow`, which Step Functions does not know.

"LinkFlow": {"concurrency": {"limit": 3, "key": "{{ trigger.customer }}"}, "rate": {"limit": 10, "per_seconds": 1}}
"""

from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import ValidationError

from linkflow.errors import Fault
from linkflow.language.graph.check import key_faults, schema_faults
from linkflow.language.graph.compile import limits_of
from linkflow.language.graph.definition import Bounds
from linkflow.language.json import Json
from linkflow.language.program import Limit

FIELD: Final = "LinkFlow"


def bare(document: Mapping[str, Json]) -> dict[str, Json]:
    """The state machine as the States Language has it."""
    return {name: value for name, value in document.items() if name != FIELD}


def settings_faults(document: Mapping[str, Json]) -> Iterator[Fault]:
    if FIELD in document:
        path = f"$.{FIELD}"
        try:
            bounds = Bounds.model_validate(document[FIELD])
        except ValidationError as error:
            yield from schema_faults(error, path)
        else:
            yield from key_faults(bounds, path)


def limits_in(document: Mapping[str, Json]) -> tuple[Limit, ...]:
    return tuple(limits_of(Bounds.model_validate(document.get(FIELD, {}))))
