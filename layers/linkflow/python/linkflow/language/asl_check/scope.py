"""What a check knows of where it stands: query language, kind of machine, variables in reach."""

from dataclasses import dataclass, replace
from typing import Literal, TypeGuard

from linkflow.language.asl_check.problem import Code, Place, Report
from linkflow.language.json import Json

Language = Literal["JSONPath", "JSONata"]
MachineType = Literal["STANDARD", "EXPRESS"]


@dataclass(frozen=True, slots=True)
class Scope:
    """The variables that the states of one machine assign, and behind them those of the machines around it."""

    names: frozenset[str]
    around: "Scope | None" = None

    def __contains__(self, name: str) -> bool:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return True
            scope = scope.around
        return False


@dataclass(frozen=True, slots=True)
class Site:
    """One value under check. `machine_language` is what nested states inherit: a Map's own choice does not reach the
    states inside its processor. `scope` are the variables in reach, None: none are.
    `states_fields` are the names that have a value below `$states`."""

    report: Report
    place: Place
    language: Language
    machine_language: Language
    machine_type: MachineType
    scope: Scope | None = None
    states_fields: frozenset[str] = frozenset()

    def at(self, *keys: str | int) -> "Site":
        return replace(self, place=self.place.at(*keys))

    def error(self, message: str, advice: str = "", *, code: Code = "SCHEMA_VALIDATION_FAILED") -> None:
        self.report.error(self.place, message, advice, code=code)

    def warn(self, message: str, advice: str, *, code: Code) -> None:
        self.report.warn(self.place, message, advice, code=code)


def is_object(value: Json) -> TypeGuard[dict[str, Json]]:
    return isinstance(value, dict)


def is_number(value: Json) -> TypeGuard[int | float]:
    """A JSON number: in Python, True and False are numbers too, in JSON they are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_integer(value: Json) -> TypeGuard[int | float]:
    return is_number(value) and (isinstance(value, int) or value.is_integer())
