"""What an evaluation may cost, and who counts it.

An expression comes from a user. Every function that it can reach charges what it is about to touch (elements, nodes,
characters) to the evaluation's fuel, and every callback charges its calls, so that an evaluation ends after a fixed
amount of work whatever its text and data: the same on every machine, which a clock would not be. Only regular
expressions, whose cost nobody can foresee, are timed.
"""

from collections.abc import Callable, Mapping
from contextvars import Token
from types import FunctionType
from typing import Any, Final, TypeAlias, cast

from jsonata2py.errors import _RuntimeEvaluationError as Failed
from jsonata2py.runtime import context
from jsonata2py.runtime.values import MISSING

from linkflow.language.json import Json

FUEL: Final = 1_500_000
"""Units of work per evaluation; a unit is between a tenth of a microsecond and a microsecond."""

DEEPEST_CALLS: Final = 120
"""Functions and callbacks in one another. Below what Python's stack allows in any host, so that a replay elsewhere ends
in the same way."""

STACK: Final = (
    "Stack overflow error: Check for non-terminating recursive function.  Consider rewriting as tail-recursive."
)

LONGEST_TEXT: Final = 4_000_000
"""Characters in one string; Step Functions carries 262,144 bytes between states."""

EVALUATION_MILLISECONDS: Final = 1_000
"""Wall-clock bound, only for expressions that hold a regular expression."""

Callback: TypeAlias = Callable[..., Any]


class Scope:
    """One evaluation: its bindings (in the library's shape), its time, its seed and the fuel that is left."""

    __slots__ = ("depth", "drawn", "fuel", "now", "seed", "values")

    def __init__(self, values: Mapping[str, Json], now: float, seed: int) -> None:
        self.values = values
        self.now = now
        self.seed = seed
        self.drawn = 0
        self.depth = 0
        self.fuel = FUEL

    def get_value(self, name: str) -> Json:
        return self.values.get(name, MISSING)

    def get_function(self, name: str) -> None:
        """Bindings are JSON; functions are never bound."""

    def spend(self, units: int) -> None:
        self.fuel -= units
        if self.fuel < 0:
            raise Failed("U1001", "The expression needs more work than one evaluation is given")


def enter(scope: Scope, *, timed: bool) -> Token[Any]:
    """Open an evaluation in this thread and context. A state of its own, since the library would otherwise share one
    between threads that copied a context (`asyncio.to_thread`), and call depth and pending calls live in it."""
    state = context.EvalState()
    milliseconds = EVALUATION_MILLISECONDS if timed else 0
    state.begin(cast("Any", scope), int(scope.now * 1000), milliseconds, None)
    return context._CURRENT.set(state)  # noqa: SLF001 (the library offers no other way to isolate an evaluation)


def leave(token: Token[Any]) -> None:
    context.end_evaluation()
    context._CURRENT.reset(token)  # noqa: SLF001 (see enter)


def current() -> Scope:
    state: Any = context._CURRENT.get()  # noqa: SLF001 (see enter)
    scope: Scope = state.bindings
    return scope


def weigh(scope: Scope, value: Any) -> None:
    """Charge every node below `value`, shared ones as often as they appear: what a function that walks it will
    touch."""
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            scope.spend(1 + len(node))
            waiting.extend(node)
        elif isinstance(node, dict):
            scope.spend(1 + 2 * len(node))
            waiting.extend(node.values())
        elif node.__class__ is str and len(node) > 64:
            scope.spend(len(node) >> 6)


def _weigh_lists(scope: Scope, value: list[Any]) -> None:
    """Charge the lists in a list: all that flattening and truth (an array is true when any member is) will touch."""
    waiting = [value]
    while waiting:
        members = waiting.pop()
        scope.spend(1 + len(members))
        waiting.extend(member for member in members if isinstance(member, list))


def counted(function: Callback) -> Callback:
    """A callback that charges each call and what it hands back."""

    def call(*arguments: Any) -> Any:
        scope = current()
        scope.depth += 1
        if scope.depth > DEEPEST_CALLS:
            raise Failed("U1001", STACK)
        result = function(*arguments)
        scope.depth -= 1  # an exception ends the evaluation, and its scope with it
        scope.spend(2)
        if isinstance(result, list):
            _weigh_lists(scope, result)
        return result

    return call


def metered(function: Callback) -> Callback:
    """A library function that charges the size of its arguments, and whose callbacks are counted."""

    def call(*arguments: Any) -> Any:
        cost = 2
        passed: list[Any] | None = None
        for index, argument in enumerate(arguments):
            kind = argument.__class__
            if kind is list or isinstance(argument, list):
                cost += len(argument) >> 2
            elif kind is str:
                cost += len(argument) >> 6
            elif kind is FunctionType:
                passed = passed or list(arguments)
                passed[index] = counted(argument)
        current().spend(cost)
        return bounded(function(*(passed or arguments)))

    return call


def walked(function: Callback) -> Callback:
    """A library function that walks its arguments to the bottom."""
    inner = metered(function)

    def call(*arguments: Any) -> Any:
        scope = current()
        for argument in arguments:
            if isinstance(argument, list | dict):
                weigh(scope, argument)
        return inner(*arguments)

    return call


def bounded(result: Any) -> Any:
    """`result`, unless it is a text that is too long."""
    if result.__class__ is str and len(result) > LONGEST_TEXT:
        raise Failed("U1001", f"A string would be longer than {LONGEST_TEXT:,} characters")
    return result
