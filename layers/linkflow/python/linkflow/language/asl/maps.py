"""The fields of a Map state: its items, its limits, how items are read, batched, and what is written of the results."""

from collections.abc import Mapping
from math import inf
from typing import Final

from linkflow.language.asl.failures import expression, query, runtime, type_name
from linkflow.language.asl.paths import Constant, DocumentPath, Payload, ReferencedNumber
from linkflow.language.asl.queries import Query, Template, is_query
from linkflow.language.flow import Expression
from linkflow.language.items import Batcher, Reader, Writer
from linkflow.language.json import Json
from linkflow.language.json_text import compact
from linkflow.language.view import View

State = Mapping[str, Json]

DISTRIBUTED: Final = "DISTRIBUTED"


class PathItems:
    """JSONPath: the document itself, or what `ItemsPath` leads to in it. `keyed`: it may be an object."""

    __slots__ = ("_keyed", "_path")

    def __init__(self, source: str, *, keyed: bool) -> None:
        self._path = DocumentPath(source)
        self._keyed = keyed

    def evaluate(self, view: View) -> Json:
        items = self._path.evaluate(view)
        if isinstance(items, list):
            return items
        if self._keyed and isinstance(items, dict):
            return listed(items)
        shown = self._path.path.source.replace("$$", "$", 1)
        raise runtime(f'Reference path "{shown}" must point to array.')


class QueryItems:
    """JSONata: the input itself, `Items` as it stands, or what its expression gives. `keyed`: it may be an object."""

    __slots__ = ("_items", "_keyed", "_query")

    def __init__(self, state: State, *, keyed: bool) -> None:
        self._keyed = keyed
        items = state.get("Items")
        self._query = Query(str(items), "Items") if is_query(items) else None
        self._items = Template(items, "Items") if "Items" in state and self._query is None else None

    def evaluate(self, view: View) -> Json:
        if self._items is not None:
            return self._listed(self._items.evaluate(view))
        if self._query is None:
            if isinstance(view.input, list):
                return view.input
            if self._keyed and isinstance(view.input, dict):
                return listed(view.input)
            raise query(f"Map state input must be an array but was: {compact(view.input)}")
        return self._listed(self._query.evaluate(view))

    def _listed(self, items: Json) -> Json:
        if isinstance(items, list):
            return items
        if self._keyed and isinstance(items, dict):
            return listed(items)
        source = self._query.source if self._query else compact(items)
        raise query(
            f"The JSONata expression '{source}' specified for the field 'Items' returned an unexpected result type. "
            f"Expected 'array', but was '{type_name(items)}' for value: {compact(items)}",
            "Items",
        )


def listed(items: Mapping[str, Json]) -> list[Json]:
    """An object's members as items: a distributed Map takes them (developer guide, "Items")."""
    return [{"Key": key, "Value": value} for key, value in items.items()]


class Bounded:
    """A number within limits, and with `whole` an integer; beyond them the state fails with `cause`."""

    __slots__ = ("_cause", "_highest", "_lowest", "_number", "_whole")

    def __init__(
        self, number: Expression, cause: str, lowest: float = 0, highest: float | None = None, *, whole: bool = False
    ) -> None:
        self._whole = whole
        self._number = number
        self._cause = cause
        self._lowest = lowest
        self._highest = highest

    def evaluate(self, view: View) -> Json:
        value = self._number.evaluate(view)
        if value < self._lowest or (self._highest is not None and value > self._highest):
            if isinstance(self._number, Query):
                raise query(self._cause, self._number.location)
            raise runtime(self._cause)
        if self._whole and isinstance(self._number, Query) and not isinstance(value, int):
            field = self._number.location
            raise expression(self._number.source, field, f"returned a number that is not an integer: {value}")
        return value


def number(fields: State, name: str, *, location: str = "", fraction: bool = False) -> Expression | None:
    """A number given as such, behind a path (`…Path`), or by an expression; None when it is not given."""
    if f"{name}Path" in fields:
        return ReferencedNumber(fields[f"{name}Path"], f"{name}Path", fraction=fraction)
    value = fields.get(name)
    if value is None:
        return None
    return Query(value, f"{location}{name}", "number") if is_query(value) else Constant(value)


def limit(fields: State, name: str, *, location: str = "") -> Expression | None:
    """A number that must not be negative."""
    return whole(fields, name, location=location, lowest=0, cause=f"{name} cannot be negative.")


def span(state: State, name: str) -> Expression | None:
    """A number of seconds that a Task is given: at least one."""
    return whole(state, name, lowest=1, cause=f"{name} must be a positive integer.")


def whole(fields: State, name: str, *, location: str = "", lowest: float = -inf, cause: str = "") -> Expression | None:
    """An integer, of at least `lowest` (`cause` says so)."""
    found = number(fields, name, location=location)
    return None if found is None else Bounded(found, cause, lowest, whole=True)


def percentage(state: State) -> Expression | None:
    name = "ToleratedFailurePercentage"
    found = number(state, name, fraction=True)
    return None if found is None else Bounded(found, f"{name} must be between 0 and 100.", 0, 100)


def items(state: State, *, jsonata: bool, keyed: bool) -> Expression:
    return QueryItems(state, keyed=keyed) if jsonata else PathItems(state.get("ItemsPath", "$"), keyed=keyed)


def selector(state: State, *, jsonata: bool) -> Expression | None:
    """What an iteration receives; JSONPath's older name for it is Parameters."""
    if jsonata:
        return Template(state["ItemSelector"], "ItemSelector") if "ItemSelector" in state else None
    field = "ItemSelector" if "ItemSelector" in state else "Parameters"
    return Payload(state[field]) if field in state else None


def _template(fields: State, jsonata: bool, *names: str, location: str = "") -> Expression | None:
    for name in names:
        if name in fields:
            return Template(fields[name], f"{location}{name}") if jsonata else Payload(fields[name])
    return None


def batcher(state: State, *, jsonata: bool) -> Batcher | None:
    fields = state.get("ItemBatcher")
    if fields is None:
        return None
    return Batcher(
        max_items=limit(fields, "MaxItemsPerBatch", location="ItemBatcher/"),
        max_bytes=limit(fields, "MaxInputBytesPerBatch", location="ItemBatcher/"),
        batch_input=_template(fields, jsonata, "BatchInput", location="ItemBatcher/"),
    )


def reader(state: State, *, jsonata: bool) -> Reader | None:
    fields = state.get("ItemReader")
    if fields is None:
        return None
    config = fields.get("ReaderConfig", {})
    arguments = _template(fields, jsonata, "Arguments", "Parameters", location="ItemReader/")
    return Reader(
        resource=fields["Resource"],
        arguments=arguments or Constant({}),
        input_type=Constant(config.get("InputType", "JSON")),
        csv_headers=_template(config, jsonata, "CSVHeaders", location="ItemReader/ReaderConfig/"),
        csv_delimiter=_constant(config, "CSVDelimiter"),
        items_pointer=_constant(config, "ItemsPointer"),
        max_items=whole(config, "MaxItems", location="ItemReader/ReaderConfig/"),
    )


def _constant(fields: State, name: str) -> Expression | None:
    return Constant(fields[name]) if name in fields else None


def writer(state: State, *, jsonata: bool) -> Writer | None:
    fields = state.get("ResultWriter")
    if fields is None:
        return None
    config = fields.get("WriterConfig", {})
    return Writer(
        resource=fields.get("Resource"),
        arguments=_template(fields, jsonata, "Arguments", "Parameters", location="ResultWriter/") or Constant({}),
        output_type=config.get("OutputType", "JSON"),
        transformation=config.get("Transformation", "NONE" if "Resource" in fields else "COMPACT"),
    )
