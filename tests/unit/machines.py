"""State machines by the shortest way, and what a check finds in them."""

from typing import Any, Final

from linkflow.language.asl_check import check_asl, errors
from linkflow.language.json import Json

END: Final = {"Type": "Pass", "End": True}


def machine(*states: Json, **fields: Json) -> Json:
    """A machine of these states, named A, B, C, …, that begins with the first."""
    return {"StartAt": "A", "States": {chr(ord("A") + index): state for index, state in enumerate(states)}, **fields}


def task(**fields: Json) -> Json:
    return {"Type": "Task", "Resource": "linkflow:http_request", "End": True, **fields}


def found(document: Json, **options: Any) -> list[tuple[str | None, str]]:
    return [(problem.location, problem.message) for problem in errors(check_asl(document, **options))]
