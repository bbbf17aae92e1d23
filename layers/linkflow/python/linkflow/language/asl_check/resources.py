"""What a Task's Resource may be: a node type of ours, an ARN, or (States Language, Task State) another URI."""

import re
from typing import Final

from linkflow.language.asl_check.scope import Site
from linkflow.language.asl_check.values import expected
from linkflow.language.json import Json

_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+\Z", re.ASCII)
_SUBSTITUTION: Final = re.compile(r"\$\{[^{}]+\}")
_ARN: Final = re.compile(r"arn:[a-z-]+:([a-z0-9-]+):([a-z0-9-]*):([^:]*):(.+)\Z", re.ASCII | re.DOTALL)
_LAMBDA: Final = re.compile(r"function:[A-Za-z0-9_.-]+(?::(?:\$LATEST|[A-Za-z0-9_-]+))?\Z", re.ASCII)
_PATTERN: Final = re.compile(r"\.(sync|waitForTaskToken)(?::\d+)?\Z")


def resource(site: Site, value: Json) -> None:
    if not isinstance(value, str):
        expected(site, "String")
        return
    concrete = _SUBSTITUTION.sub("x", value)
    if concrete == "x":
        return
    if value.startswith("arn:"):
        _check_arn(site, concrete)
    elif not _URI.match(concrete):
        _refuse(site)
    elif not value.startswith("linkflow:"):
        site.warn(
            f"'{value}' is neither an ARN nor a node type",
            "Name a node type ('linkflow:http_request') or a service integration ('arn:aws:states:::lambda:invoke').",
            code="INVALID_RESOURCE",
        )


def _check_arn(site: Site, value: str) -> None:
    found = _ARN.match(value)
    if not found or (found[1] == "lambda" and not _LAMBDA.match(found[4])):
        _refuse(site)
    elif site.machine_type == "EXPRESS":
        _check_express(site, found[1], found[4])


def _check_express(site: Site, service: str, name: str) -> None:
    """An express execution ends within minutes and keeps nothing that somebody could come back to."""
    if service != "states":
        return
    if name.startswith("activity:"):
        site.error(
            "Express state machine does not support Activity ARN",
            "Use a STANDARD state machine, or call the service directly.",
        )
    elif pattern := _PATTERN.search(name):
        site.error(
            f"Express state machine does not support '.{pattern[1]}' service integration ",
            f"Drop '.{pattern[1]}', or use a STANDARD state machine.",
        )


def _refuse(site: Site) -> None:
    site.error(
        "Value is not a valid resource ARN",
        "Name a node type ('linkflow:http_request') or the ARN of a service integration, function or activity.",
    )
