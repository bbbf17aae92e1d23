"""What an expression can see, and how it says that it failed.

One record for all query languages; each takes from it what its rules allow. What is costly to make (the context object,
the graph's roots, the seed) is asked from the surroundings only when an expression names it.
"""

from collections.abc import Mapping
from typing import Final, Literal, Protocol, final

import msgspec

from linkflow.language.json import Json


@final
class Missing:
    """No value at all, which is not null."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()


class EvaluationFailed(Exception):
    """An expression could not be evaluated: a failure of the state, which Retry and Catch treat like any other.

    `error` is an error name (`States.QueryEvaluationError`, `States.Runtime`, …), `cause` says what was wrong;
    `location` is the field (`Output/result`)."""

    def __init__(self, error: str, cause: str, location: str = "") -> None:
        super().__init__(cause)
        self.error = error
        self.cause = cause
        self.location = location


class Surroundings(Protocol):
    """The execution around an expression."""

    @property
    def now(self) -> float:
        """The turn's time, seconds since 1970."""
        ...

    def variables(self) -> Mapping[str, Json]: ...

    def own(self) -> Mapping[str, Json]:
        """Those of the variables that were assigned by states of the same machine."""
        ...

    def context(self) -> Mapping[str, Json]:
        """Step Functions' context object."""
        ...

    def roots(self) -> Mapping[str, Json]:
        """What a graph's expressions start from: `trigger`, `nodes`, `vars`, `execution`, …"""
        ...

    def link(self, kind: Literal["resume", "approval"], person: str = "") -> str:
        """An address at which somebody outside ends the task that is being scheduled; empty where there is none. Its
        last part is filled in when it is sent out."""
        ...

    def seed(self) -> int:
        """Where `$uuid()`, `$random()`, `States.UUID()` and `States.MathRandom()` start: derived from the execution,
        the scope and the entry into the state, so that a repetition gives the same values."""
        ...


class View(msgspec.Struct, eq=False):
    """`input` is the document an expression starts from; `result` and `error_output` exist only behind a task."""

    input: Json
    around: Surroundings
    result: Json = MISSING
    error_output: Json = MISSING

    def over(self, document: Json) -> "View":
        """The same view, starting from another document."""
        return View(document, self.around, self.result, self.error_output)

    def after(self, result: Json) -> "View":
        """The same view, once the state has its result."""
        return View(self.input, self.around, result, self.error_output)
