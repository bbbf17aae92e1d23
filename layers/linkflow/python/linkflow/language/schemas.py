"""JSON Schema (draft 2020-12): is a schema one, and does a value fit it? The one module that knows the library.

It is loaded when it is first needed, since it takes a fifth of a second. References to other documents are refused: a
check must not reach out.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from linkflow.errors import Fault
from linkflow.language.json import Json

if TYPE_CHECKING:
    from jsonschema import ValidationError


def schema_faults(schema: Json, path: str = "$") -> Iterator[Fault]:
    """What keeps `schema` from being a JSON Schema."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 (see above)

    for error in Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(schema):
        yield _fault(error, path, "bad_schema")
    for place, reference in _references(schema, path):
        if not reference.startswith("#"):
            yield Fault(place, "bad_schema", f"'{reference}' is another document: only '#/…' can be referred to.")


def value_faults(schema: Json, value: Json, path: str = "$") -> Iterator[Fault]:
    """What keeps `value` from fitting `schema`, which is a JSON Schema."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 (see above)
    from referencing import Registry  # noqa: PLC0415 (same)
    from referencing.exceptions import Unresolvable  # noqa: PLC0415 (same)

    validator = Draft202012Validator(schema, registry=Registry())
    try:
        found = sorted(validator.iter_errors(value), key=lambda error: list(map(str, error.absolute_path)))
    except Unresolvable as error:
        yield Fault(path, "bad_schema", f"The schema refers to '{error.ref}', which is not in it.")
        return
    yield from (_fault(error, path, str(error.validator)) for error in found)


def _fault(error: "ValidationError", path: str, code: str) -> Fault:
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    return Fault(path + where, code, error.message)


def _references(schema: Json, path: str) -> Iterator[tuple[str, str]]:
    match schema:
        case dict():
            for name, value in schema.items():
                if name in ("$ref", "$dynamicRef") and isinstance(value, str):
                    yield f"{path}.{name}", value
                else:
                    yield from _references(value, f"{path}.{name}")
        case list():
            for index, value in enumerate(schema):
                yield from _references(value, f"{path}[{index}]")
        case _:
            pass
