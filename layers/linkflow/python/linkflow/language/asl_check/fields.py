"""Which fields an object may have, what each holds, and in which query language it exists."""

from collections.abc import Mapping
from dataclasses import dataclass

from linkflow.language.asl_check.expressions import too_deep
from linkflow.language.asl_check.problem import DEEPEST
from linkflow.language.asl_check.scope import Language, Site, is_object
from linkflow.language.asl_check.values import Check, exclusive, expected, required
from linkflow.language.json import Json


@dataclass(frozen=True, slots=True)
class Field:
    """`language`: the only one in which the field exists; None: both."""

    check: Check
    language: Language | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """`exclusive`: of each group at most one may be there; `exactly`: one must."""

    fields: Mapping[str, Field]
    required: tuple[str, ...] = ()
    exclusive: tuple[tuple[str, ...], ...] = ()
    exactly: tuple[tuple[str, ...], ...] = ()


def both(check: Check) -> Field:
    return Field(check)


def only_jsonpath(check: Check) -> Field:
    return Field(check, "JSONPath")


def only_jsonata(check: Check) -> Field:
    return Field(check, "JSONata")


def check_shape(site: Site, value: Json, shape: Shape) -> None:
    """The object's fields against its shape, each value by its own check."""
    if not is_object(value):
        expected(site, "Object")
        return
    if site.place.depth >= DEEPEST:
        too_deep(site)
        return
    required(site, value, shape.required)
    for group in shape.exclusive:
        exclusive(site, value, group)
    for group in shape.exactly:
        _check_exactly(site, value, group, shape)
    for name, member in value.items():
        _check_field(site, name, member, shape)


def check_each(site: Site, value: Json, shape: Shape) -> None:
    """An array of such objects."""
    if not isinstance(value, list):
        expected(site, "Array")
        return
    for index, member in enumerate(value):
        check_shape(site.at(index), member, shape)


def _check_exactly(site: Site, value: Mapping[str, Json], group: tuple[str, ...], shape: Shape) -> None:
    names = [name for name in group if shape.fields[name].language in {None, site.language}]
    exclusive(site, value, names)
    if not any(name in value for name in group):
        listed = ", ".join(names)
        site.error(f"There should be exactly one of the following fields: [{listed}]", f"Add one of {listed}.")


def _check_field(site: Site, name: str, value: Json, shape: Shape) -> None:
    field = shape.fields.get(name)
    if field is None:
        known = ", ".join(sorted(key for key, each in shape.fields.items() if each.language in {None, site.language}))
        site.error(
            f"Field '{name}' is not supported", f"Remove '{name}', or correct its spelling. Known here: {known}."
        )
    elif field.language not in {None, site.language}:
        site.error(
            f"The QueryLanguage is set to '{site.language}', but field '{name}' is only supported for the "
            f"'{field.language}' QueryLanguage"
        )
    else:
        field.check(site.at(name), value)
