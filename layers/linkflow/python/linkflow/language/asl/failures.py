"""How Step Functions words what went wrong with a field (recorded; the sentence about the state stands in front)."""

from linkflow.language.json import Json
from linkflow.language.json_text import compact
from linkflow.language.view import EvaluationFailed

RUNTIME = "States.Runtime"
QUERY = "States.QueryEvaluationError"


def runtime(cause: str) -> EvaluationFailed:
    return EvaluationFailed(RUNTIME, cause)


def invalid_path(path: str, reason: str) -> EvaluationFailed:
    """A path that stands for a document (InputPath, OutputPath, ItemsPath, TimeoutSecondsPath, …) leads nowhere."""
    return runtime(f"Invalid path '{path}' : {reason}")


def field_not_found(path: str, field: str, document: Json) -> EvaluationFailed:
    """A path in a template, or in ErrorPath and CausePath, leads nowhere."""
    return runtime(
        f"The JSONPath '{path}' specified for the field '{field}' could not be found in the input '{compact(document)}'"
    )


def query(cause: str, location: str = "") -> EvaluationFailed:
    return EvaluationFailed(QUERY, cause, location)


def expression(source: str, location: str, what: str) -> EvaluationFailed:
    return query(f"The JSONata expression '{source}' specified for the field '{location}' {what}", location)


def type_name(value: Json) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def plain(value: Json) -> str:
    """A value inside a sentence: text as it is, all else as JSON."""
    return value if isinstance(value, str) else compact(value)
