"""What is posted to a link: JSON, or the fields of a page's form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs

from linkflow.errors import Fault, Invalid, Malformed
from linkflow.language.json import Json
from linkflow.runtime.calls import Call
from linkflow.runtime.routes import read_json
from linkflow.stores.approvals import Verdict

FIELD: Final = "data."
"""What the names of an approval's own fields begin with, so that they never meet ours."""
_DECISIONS: Final[Mapping[str, Verdict]] = {"approved": "approved", "rejected": "rejected"}


@dataclass(frozen=True, slots=True)
class Said:
    decision: Verdict
    comment: str
    data: Json


def is_json(call: Call) -> bool:
    return "json" in call.headers.get("content-type", "")


def content(call: Call) -> Json:
    """Anything at all, as JSON. Raises `Malformed` for what says it is JSON and is not."""
    if not call.body:
        return None
    if is_json(call):
        return read_json(call.body)
    if "form-urlencoded" in call.headers.get("content-type", ""):
        return {name: values[0] if len(values) == 1 else values for name, values in _fields(call).items()}
    return call.body.decode(errors="replace")


def said(call: Call, form: Mapping[str, Any] | None) -> Said:
    """Raises `Malformed`, `Invalid`."""
    if is_json(call):
        given = read_json(call.body)
        if not isinstance(given, dict):
            raise Malformed("Send a JSON object: decision, comment, data.")
        decision, comment, data = given.get("decision"), given.get("comment", ""), given.get("data")
    else:
        fields = {name: values[0] for name, values in _fields(call).items()}
        decision, comment = fields.get("decision"), fields.get("comment", "")
        data = None if form is None else _typed(fields, form.get("properties", {}))
    verdict = _DECISIONS.get(str(decision))
    if verdict is None or not isinstance(comment, str):
        told = "Say 'approved' or 'rejected' as decision, and a text (or nothing) as comment."
        raise Invalid("The decision", [Fault("$.decision", "unknown_decision", told)])
    return Said(verdict, comment[:10_000], data)


def _fields(call: Call) -> dict[str, list[str]]:
    return parse_qs(call.body.decode(errors="replace"), keep_blank_values=True)


def _typed(fields: Mapping[str, str], properties: Mapping[str, Any]) -> dict[str, Json]:
    """The form's own fields, each as the schema types it; one that was left empty is not there."""
    typed: dict[str, Json] = {}
    for name, schema in properties.items():
        text = fields.get(FIELD + name, "")
        kind = schema.get("type") if isinstance(schema, dict) else None
        if kind == "boolean":
            typed[name] = text != ""
        elif text:
            typed[name] = text if kind in (None, "string") else _value(text, name)
    return typed


def _value(text: str, name: str) -> Json:
    try:
        return read_json(text.encode())
    except Malformed:
        raise Invalid("The form", [Fault(f"$.data.{name}", "not_json", f"'{text}' does not fit '{name}'.")]) from None
