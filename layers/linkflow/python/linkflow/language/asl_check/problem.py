"""What is wrong with a definition, and where: in AWS's words and address, and in ours.

A `Place` is a chain of keys that becomes text only when something is wrong there, so that checking costs nothing per
level. AWS writes `/States/Fan/Branches[0]/States/X/Resource`, we write `$.States.Fan.Branches[0].States.X.Resource`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Severity = Literal["ERROR", "WARNING"]

Code = Literal[
    "SCHEMA_VALIDATION_FAILED",
    "INVALID_JSON_DESCRIPTION",
    "MISSING_DESCRIPTION",
    "MISSING_END_STATE",
    "MISSING_TRANSITION_TARGET",
    "DUPLICATE_STATE_NAME",
    "DUPLICATE_LABEL_NAME",
    "INVALID_STATE_NAME",
    "INVALID_LABEL_NAME",
    "INVALID_RESOURCE",
    "INVALID_JSONATA_EXPRESSION",
    "UNSUPPORTED_JSONATA_EXPRESSION",
    "TOO_DEEPLY_NESTED",
    "NO_DOLLAR",
    "NO_PATH",
    "PASS_RESULT_IS_STATIC",
    "UNDEFINED_VARIABLE",
    "UNKNOWN_ERROR_NAME",
]
"""AWS's codes (API reference, ValidateStateMachineDefinitionDiagnostic), and two warnings of ours at the end."""

MOST_PROBLEMS: Final = 1_000
"""A definition wrong in more places than this is not a definition; the first ones are reported."""

DEEPEST: Final = 120
"""Levels of arrays and objects that are looked into."""

LONGEST_KEY: Final = 200
"""Characters of a key that are repeated in a location."""

_PLAIN: Final = re.compile(r"[A-Za-z_][\w-]*\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Problem:
    """`message` is what AWS says, `advice` how to mend it (the same, where AWS's text says so already).

    `location` is None where AWS gives none (a fault of the whole)."""

    severity: Severity
    code: Code
    location: str | None
    path: str
    message: str
    advice: str


@dataclass(frozen=True, slots=True)
class Place:
    """A value's place in the document: the key in its parent, or the root."""

    key: str | int = ""
    parent: "Place | None" = None
    depth: int = 0

    def at(self, *keys: str | int) -> "Place":
        place = self
        for key in keys:
            place = Place(key, place, place.depth + 1)
        return place

    def keys(self) -> list[str | int]:
        """From the root down."""
        found: list[str | int] = []
        place = self
        while place.parent is not None:
            found.append(place.key)
            place = place.parent
        return found[::-1]

    @property
    def location(self) -> str:
        return "".join(f"[{key}]" if isinstance(key, int) else f"/{_shown(key)}" for key in self.keys()) or "/"

    @property
    def path(self) -> str:
        return "$" + "".join(_step(key) for key in self.keys())


def _shown(key: str) -> str:
    """A key as a report shows it: one that is absurdly long would be repeated with every problem below it."""
    return key if len(key) <= LONGEST_KEY else key[:LONGEST_KEY] + "…"


def _step(key: str | int) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    if _PLAIN.match(key):
        return f".{_shown(key)}"
    return "['" + _shown(key).replace("\\", "\\\\").replace("'", "\\'") + "']"


class Report:
    """Gathers problems in the order in which they are found."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def error(
        self,
        place: Place,
        message: str,
        advice: str = "",
        *,
        code: Code = "SCHEMA_VALIDATION_FAILED",
        anywhere: bool = False,
    ) -> None:
        """`anywhere`: AWS names no location for this one."""
        self._add("ERROR", code, place, message, advice, anywhere=anywhere)

    def warn(self, place: Place, message: str, advice: str, *, code: Code) -> None:
        self._add("WARNING", code, place, message, advice)

    def _add(
        self, severity: Severity, code: Code, place: Place, message: str, advice: str, *, anywhere: bool = False
    ) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            location = None if anywhere else place.location
            self.problems.append(Problem(severity, code, location, place.path, message, advice or message))


def errors(problems: Iterable[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.severity == "ERROR"]


def refusal(problems: Iterable[Problem]) -> tuple[str, str] | None:
    """The exception with which CreateStateMachine refuses such a definition (code, message), or None: it is accepted.

    Every error is named, parted by commas; a fault without a location stands `at null`, as AWS prints it."""
    wrong = errors(problems)
    if not wrong:
        return None
    listed = ", ".join(f"{problem.code}: {problem.message} at {problem.location or 'null'}" for problem in wrong)
    return "InvalidDefinition", f"Invalid State Machine Definition: '{listed}'"
