"""A definition as text: not JSON at all is one more thing that can be wrong with it.

AWS's parser words its faults itself; those that people meet are worded alike here.
"""

import json
import re
from typing import Final, Never

from linkflow.language.asl.settings import FIELD, bare, settings_faults
from linkflow.language.asl_check.machine import check_asl
from linkflow.language.asl_check.problem import Problem
from linkflow.language.asl_check.scope import MachineType

_WORD: Final = re.compile(r"[\w$]+")
_SHOWN: Final = 500
"""Characters of the source that the parser repeats in its message."""


def check_asl_text(source: str, *, machine_type: MachineType = "STANDARD") -> list[Problem]:
    """`check_asl` of what the text holds, or the one problem that it is not JSON."""
    if not source.strip():
        message = "Received a null or empty workflow input."
        return [Problem("ERROR", "MISSING_DESCRIPTION", None, "$", message, "Send a definition.")]
    try:
        document = json.loads(source, parse_constant=_not_a_number)
    except json.JSONDecodeError as error:
        return [_not_json(source, error)]
    except RecursionError:
        message = "The definition is too deeply nested"
        return [Problem("ERROR", "TOO_DEEPLY_NESTED", None, "$", message, message)]
    except ValueError as error:
        return [Problem("ERROR", "INVALID_JSON_DESCRIPTION", None, "$", str(error), "Write a number that JSON knows.")]
    if not isinstance(document, dict) or FIELD not in document:
        return check_asl(document, machine_type=machine_type)
    ours = [
        Problem("ERROR", "SCHEMA_VALIDATION_FAILED", None, fault.path, fault.message, fault.message)
        for fault in settings_faults(document)
    ]
    return [*check_asl(bare(document), machine_type=machine_type), *ours]


def _not_a_number(token: str) -> Never:
    raise ValueError(f"Non-standard token '{token}'")


def _not_json(source: str, error: json.JSONDecodeError) -> Problem:
    word = _WORD.match(source, error.pos)
    end = word.end() if word else error.pos + 1
    line = source.count("\n", 0, end) + 1
    column = end - (source.rfind("\n", 0, end) + 1) + 1
    hidden = len(source) - _SHOWN
    shown = f'"{source[:_SHOWN]}"' + (f"[truncated {hidden} chars]" if hidden > 0 else "")
    location = f"[Source: (String){shown}; line: {line}, column: {column}]"
    if word and error.msg == "Expecting value":
        reason = (
            f"Unrecognized token '{word[0]}': was expecting (JSON String, Number, Array, Object or token 'null', "
            "'true' or 'false')"
        )
    elif error.pos >= len(source):
        reason = "Unexpected end-of-input"
    else:
        character = source[error.pos]
        reason = f"Unexpected character ('{character}' (code {ord(character)})): {error.msg}"
    advice = f"The text is not JSON: {error.msg} in line {error.lineno}, column {error.colno}."
    return Problem("ERROR", "INVALID_JSON_DESCRIPTION", location, "$", f"{reason}\n at {location}", advice)
