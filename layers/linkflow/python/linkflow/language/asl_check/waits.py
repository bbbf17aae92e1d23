"""What LinkFlow's own waits are given, as far as a definition says it in so many words."""

from collections.abc import Mapping
from typing import Final

from linkflow.language import jsonata
from linkflow.language.asl.queries import is_query
from linkflow.language.asl.waits import EVENT, RECEIVE, bare
from linkflow.language.asl_check.scope import Site, is_object
from linkflow.language.json import Json

_NEEDED: Final[Mapping[str, str]] = {RECEIVE: "name", EVENT: "type"}
_FILTER: Final = (
    "It is judged when something comes: write plain JSONata over 'signal' or 'event', and put values of the "
)
_ADVICE: Final = _FILTER + "execution into 'with'."


def waits(site: Site, state: Mapping[str, Json]) -> None:
    """A Task that waits for a signal or an event."""
    resource = state.get("Resource")
    needed = _NEEDED.get(bare(resource)) if isinstance(resource, str) else None
    if needed is None:
        return
    field = "Arguments" if site.language == "JSONata" else "Parameters"
    given = state.get(field)
    if isinstance(given, str) and is_query(given):
        return
    here = site.at(field)
    if not is_object(given):
        (site if given is None else here).error(f"'{resource}' needs {field} with '{needed}'")
        return
    if needed not in given and f"{needed}.$" not in given:
        here.error(f"'{resource}' needs '{needed}'", f"Add '{needed}': what to wait for.")
    _check_filter(here.at("filter"), given)


def _check_filter(site: Site, given: Mapping[str, Json]) -> None:
    condition = given.get("filter")
    if "filter.$" in given or (condition is not None and (not isinstance(condition, str) or is_query(condition))):
        site.error("A filter cannot be computed", _ADVICE)
    elif condition is not None:
        try:
            jsonata.compile(condition)
        except jsonata.JsonataError as error:
            site.error(f"The filter is no JSONata: {error.message}", _ADVICE, code="INVALID_JSONATA_EXPRESSION")
