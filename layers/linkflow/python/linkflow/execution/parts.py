"""A Map too wide for one book is dealt to child executions, so many items to each.

In the parent a part is a scope that never enters a state: it holds one task, which ends with the child execution. In
the child (`State.part`) the root stands in that Map from the beginning, bears every failure, and hands back what its
iterations made and how the others failed; the parent alone judges how many may.

`MaxConcurrency` is a promise about all parts together, so it is divided among as many as fit into it: each works on its
share at the same time, and none waits for another's last item. Parts are then smaller, several for each hand, since the
last of them are worked on while others have nothing left to do.
"""

from functools import lru_cache
from math import ceil
from typing import Final, TypedDict

from linkflow.execution import events as e
from linkflow.execution.state import Failure, Iterations, Scope, State
from linkflow.execution.tree import leave, waited, wake
from linkflow.language.json import Json

WIDE: Final = 1_000
"""Items above which a distributed Map is dealt."""
SHARE: Final = 100
"""Items of one part, at most."""
FEWEST: Final = 10
"""Items of one part, at least: a child execution costs as much as a few items do."""
ROUNDS: Final = 4
"""Parts for each hand, where a limit makes them smaller."""
HANDS: Final = 50
"""Parts that are worked on at the same time, at most."""
RESOURCE: Final = "linkflow:part"


class Made(TypedDict):
    """What a part's execution gives: outputs by index, and failures (index, error, cause), counted from its first."""

    results: list[tuple[int, Json]]
    errors: list[tuple[int, str | None, str | None]]


def share(items: int, concurrency: int) -> int:
    """How many items each child execution works on; 0: there are too few to be dealt."""
    if items <= WIDE:
        return 0
    at_once = hands(concurrency)
    return min(SHARE, max(FEWEST, concurrency // at_once or SHARE, ceil(items / (ROUNDS * at_once))))


@lru_cache(maxsize=256)
def hands(concurrency: int) -> int:
    """How many parts are worked on at the same time: as many as leave the least of the limit (0: there is none)
    unused."""
    if not concurrency:
        return HANDS
    return max(range(1, min(HANDS, concurrency) + 1), key=lambda at_once: (at_once * (concurrency // at_once), at_once))


def is_part(scope: Scope) -> bool:
    return scope.state == "" and scope.task is not None


def begin_part(state: State, part: e.Part) -> None:
    """The child's root stands in the Map already, which has all it needs."""
    root, items = state.scopes[0], state.input
    work = Iterations(items, part.max_concurrency, tolerated_count=len(items), distributed=True, run=part.state)
    root.machine, root.state, root.input = part.machine, part.state, items
    root.phase, root.composite = "composite", work


def arguments(state: State, scope: Scope) -> dict[str, Json]:
    """What the child execution is to work on."""
    assert scope.parent is not None  # noqa: S101 (a part stands in a Map)
    parent = state.scopes[scope.parent]
    work = parent.composite
    assert isinstance(work, Iterations)  # noqa: S101 (same)
    first = int(scope.key)
    items = work.items[first : first + work.dealt]
    concurrency = work.max_concurrency // hands(work.max_concurrency)
    selected = None if scope.carry == items else scope.carry
    part = e.Part(parent.machine, parent.state, first, concurrency, selected)
    return {"items": items, "part": part}


def made(work: Iterations) -> Made:
    return {
        "results": list(work.results.items()),
        "errors": [(index, failure.error, failure.cause) for index, failure in work.errors.items()],
    }


def part_settled(state: State, scope: Scope, result: Made) -> None:
    first, work = _over(state, scope)
    for index, output in result["results"]:
        work.results[first + index] = output
    for index, error, cause in result["errors"]:
        _failed(work, first + index, Failure(error, cause))


def part_failed(state: State, scope: Scope, failure: Failure) -> None:
    """The child execution did not end well: none of its items did."""
    first, work = _over(state, scope)
    for index in range(first, min(first + work.dealt, len(work.items))):
        _failed(work, index, failure)


def _failed(work: Iterations, index: int, failure: Failure) -> None:
    work.failures += 1
    work.failed = work.failed or failure
    if work.tolerated_count is not None or work.tolerated_percentage is not None:
        work.errors[index] = failure


def _over(state: State, scope: Scope) -> tuple[int, Iterations]:
    scope.task = None
    parent = leave(state, scope)
    waited(state, parent)
    wake(state, parent.id)
    assert isinstance(parent.composite, Iterations)  # noqa: S101 (a part stands in a Map)
    return int(scope.key), parent.composite
