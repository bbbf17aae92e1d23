"""Variables: who assigns and reads them, which names they may bear (developer guide, Passing data with variables).

A variable belongs to the machine whose state assigns it. Nested machines read it, and may not assign it again; a
distributed Map's processor runs as executions of its own and sees nothing from outside.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from linkflow.language import intrinsics, jsonata
from linkflow.language.asl_check.expressions import compiled_path, is_jsonata, jsonata_source
from linkflow.language.asl_check.problem import DEEPEST, Place
from linkflow.language.asl_check.scope import Language, Site, is_object
from linkflow.language.asl_check.values import expected, template
from linkflow.language.json import Json

LONGEST_NAME: Final = 80
RESERVED: Final = "states"

_TEMPLATES: Final = frozenset(
    {
        "Parameters",
        "ResultSelector",
        "Assign",
        "ItemSelector",
        "BatchInput",
        "Credentials",
        "Result",
        "Arguments",
        "Output",
    }
)
_NESTED: Final = frozenset({"Branches", "ItemProcessor", "Iterator"})


def assign(site: Site, value: Json) -> None:
    """An Assign field: an object whose keys name variables."""
    if not is_object(value):
        expected(site, "Object")
        return
    for key in value:
        _check_name(site, key[:-2] if site.language == "JSONPath" and key.endswith(".$") else key)
    template(site, value)


def _check_name(site: Site, name: str) -> None:
    if name == RESERVED:
        site.error(f"'{name}' is a reserved variable name", "Choose another name: $states is the state's own view.")
    elif not name.isidentifier():
        site.error(
            f"Variable name '{name}' is not valid",
            "A name begins with a letter or underscore, and goes on with letters, digits and underscores.",
        )
    elif len(name) > LONGEST_NAME:
        site.error(f"Variable name '{name}' exceeds {LONGEST_NAME} characters", "Choose a shorter name.")
    elif site.scope and site.scope.around and name in site.scope.around:
        site.error(
            f"Variable '{name}' is already assigned in an outer scope",
            "A Parallel's branch or a Map's processor reads the variables around it; give its own another name.",
        )


def assigned_in(states: Mapping[str, Json]) -> frozenset[str]:
    """The names that the states of one machine assign, in rules and catchers too."""
    found: set[str] = set()
    for state in states.values():
        if is_object(state):
            rules = [part for name in ("Choices", "Catch") if isinstance(part := state.get(name), list)]
            for assigning in (state, *(entry for entries in rules for entry in entries if is_object(entry))):
                written = assigning.get("Assign")
                if is_object(written):
                    found.update(key.removesuffix(".$") for key in written)
    return frozenset(found)


def variables_of(state: Mapping[str, Json], language: Language) -> dict[str, Place]:
    """The variables that one state reads (not those of machines nested in it), each with the place where it does so
    first, relative to the state."""
    found: dict[str, Place] = {}
    for place, text in _expressions(state, language):
        for name in _jsonata_names(text) if language == "JSONata" else _path_names(text):
            found.setdefault(name, place)
    return found


def _expressions(state: Mapping[str, Json], language: Language) -> Iterator[tuple[Place, str]]:
    """The strings of a state that are evaluated: in JSONata all between delimiters, in JSONPath those in `…Path`,
    `Variable` and, inside payload templates, `….$`."""
    root = Place()
    waiting = [(root.at(key), value, False) for key, value in reversed([*state.items()]) if key not in _NESTED]
    while waiting:
        place, value, templated = waiting.pop()
        key = place.key if isinstance(place.key, str) else ""
        templated = templated or key in _TEMPLATES
        if isinstance(value, str):
            if language == "JSONata" or key.endswith(".$" if templated else ("Path", "Variable")):
                yield place, value
        elif place.depth < DEEPEST and is_object(value):
            waiting.extend((place.at(name), value[name], templated) for name in reversed(value))
        elif place.depth < DEEPEST and isinstance(value, list):
            waiting.extend((place.at(index), value[index], templated) for index in reversed(range(len(value))))


def _jsonata_names(text: str) -> frozenset[str]:
    if not is_jsonata(text):
        return frozenset()
    try:
        names = jsonata.compile(jsonata_source(text)).references
    except jsonata.JsonataError:
        return frozenset()
    return names - {RESERVED, "", "$"} - frozenset(jsonata.FUNCTIONS)


def _path_names(text: str) -> list[str]:
    if text.startswith("States."):
        try:
            paths = intrinsics.compile(text).paths
        except intrinsics.IntrinsicError:
            return []
    else:
        path = compiled_path(text)
        paths = (path,) if path else ()
    return [path.root for path in paths if path.root not in {"", "$"}]
