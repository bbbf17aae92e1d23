"""The pages behind links: plain, whole in themselves, without scripts. What is in them that is not ours is escaped."""

from collections.abc import Mapping
from html import escape
from typing import Any, Final

from functions.edge.forms import FIELD
from linkflow.errors import Refused
from linkflow.execution.surroundings import moment_text
from linkflow.stores.approvals import Approval

HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:3rem auto;padding:0 1rem;color:#222}"
    "p{white-space:pre-wrap}label{display:block;margin:.8rem 0}"
    "input[type=text],input[type=number],textarea,select{width:100%;box-sizing:border-box;padding:.4rem;font:inherit}"
    "button{font:inherit;padding:.6rem 1.6rem;margin:.8rem .8rem 0 0;border:0;border-radius:.3rem;color:#fff;"
    "cursor:pointer}.yes{background:#197a3b}.no{background:#b3261e}small{color:#666}"
)
_SORRY: Final[Mapping[int, str]] = {
    403: "Somebody else has to decide",
    404: "There is nothing here",
    409: "This is decided already",
    410: "This link is over",
    422: "Something is missing",
}


def question(approval: Approval, person: str) -> str:
    """What is asked, and two buttons."""
    until = "" if approval.expires_at is None else f"To be decided by {moment_text(approval.expires_at)}. "
    votes = f"{approval.required} must approve; {len(approval.decisions)} decided so far. " * (approval.required > 1)
    to = f"Asked of {escape(person)}. " if person else ""
    fields = "".join(_fields(approval.form)) if approval.form else ""
    return _page(
        approval.title,
        f"<p>{escape(approval.message)}</p><form method=post>{fields}"
        "<label>Comment<textarea name=comment rows=3></textarea></label>"
        "<button class=yes name=decision value=approved>Approve</button>"
        "<button class=no name=decision value=rejected formnovalidate>Reject</button></form>"
        f"<p><small>{to}{votes}{until}</small></p>",
    )


def thanks(approval: Approval) -> str:
    said = {"approved": "It is approved.", "rejected": "It is rejected.", "pending": "Others have still to decide."}
    return _page(
        "Thank you", f"<p>Your decision on “{escape(approval.title)}” is recorded. {said[approval.status]}</p>"
    )


def waiting() -> str:
    return _page(
        "A workflow waits here",
        "<p>It goes on with whatever is sent to this address by POST, once; JSON is taken as it is.</p>"
        "<p><small>Opening the address in a browser changes nothing.</small></p>",
    )


def refused(error: Refused) -> str:
    details = "".join(f"<li>{escape(fault.path)}: {escape(fault.message)}</li>" for fault in error.details)
    known = {404: "The link is not whole, or was never given.", 422: "Go back, and mend this:"}
    text = known.get(error.status, error.message)
    title = _SORRY.get(error.status, "That did not work")
    return _page(title, f"<p>{escape(text)}</p>" + (f"<ul>{details}</ul>" if details else ""))


def _page(title: str, body: str) -> str:
    head = f"<meta charset=utf-8><meta name=viewport content='width=device-width'><title>{escape(title)}</title>"
    return (
        f"<!doctype html><html lang=en><head>{head}<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>{body}"
    )


def _fields(form: Mapping[str, Any]) -> list[str]:
    """An input for each property; what is no plain value is written as JSON."""
    needed = form.get("required", ())
    return [_field(name, schema, name in needed) for name, schema in form.get("properties", {}).items()]


def _field(name: str, schema: Any, needed: bool) -> str:
    schema = schema if isinstance(schema, dict) else {}
    label, key = escape(str(schema.get("title", name))), escape(FIELD + name)
    must = " required" if needed else ""
    match schema:
        case {"enum": list(options)}:
            given = "".join(f"<option>{escape(str(option))}</option>" for option in options)
            control = f"<select name='{key}'{must}><option></option>{given}</select>"
        case {"type": "boolean"}:
            return f"<label><input type=checkbox name='{key}'> {label}</label>"
        case {"type": "integer" | "number" as kind}:
            step = "1" if kind == "integer" else "any"
            control = f"<input type=number step={step} name='{key}'{must}>"
        case {"type": "string"}:
            control = f"<input type=text name='{key}'{must}>"
        case _:
            control = f"<textarea name='{key}'{must} placeholder='JSON'></textarea>"
    return f"<label>{label}{control}</label>"
