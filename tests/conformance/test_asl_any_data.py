"""Recorded definitions with data they were not made for: whatever comes in, and whatever tasks answer, the core never
raises, ends or waits, and its book rebuilds it (every run checks that)."""

from dataclasses import replace
from random import Random
from typing import Any, Final

import pytest

from linkflow.execution.commands import RunTask
from linkflow.execution.inspect import inspect
from linkflow.language.asl import compile_asl
from linkflow.language.json import Json
from tests.conformance.cases import ROOT, of_kind
from tests.conformance.runner import Run, names
from tests.conformance.stand_ins import Answer
from tests.conformance.state_tests import given_of, subject

pytestmark = pytest.mark.skipif(not ROOT.exists(), reason="the recorded cases are not beside the repository")

_PLAIN: Final[tuple[Json, ...]] = (None, True, False, -3, 0, 2, 1.5, "", "x", "2016-03-14T01:59:00Z", [], {})
_BODIES: Final = ("[1,2]", "a,b\n1,2", "{", '"x"', '"\\ud800"')


class Chance:
    """Draws data, and answers tasks with it."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def value(self, depth: int = 0) -> Json:
        kind = self.random.random()
        if depth > 2 or kind < 0.6:
            return self.random.choice(_PLAIN)
        count = self.random.randrange(3)
        if kind < 0.8:
            return [self.value(depth + 1) for _ in range(count)]
        return {self.random.choice(("a", "Payload", "Contents")): self.value(depth + 1) for _ in range(count)}

    def changed(self, value: Json) -> Json:
        """The value, with parts of it replaced or gone."""
        if self.random.random() < 0.15:
            return self.value()
        if isinstance(value, dict):
            return {key: self.changed(member) for key, member in value.items() if self.random.random() > 0.05}
        return [self.changed(member) for member in value] if isinstance(value, list) else value

    def answer(self, task: RunTask) -> Answer:  # noqa: ARG002 (whatever was asked)
        kind = self.random.random()
        if kind < 0.2:
            error, cause = self.random.choice((None, "X", "States.Timeout")), self.random.choice((None, "why"))
            return Answer(failed=True, error=error, cause=cause)
        if kind < 0.3:
            return Answer(never=True, submitted={})
        result: Any = {"Body": self.random.choice(_BODIES)} if kind < 0.6 else self.value()
        return Answer(result, after=self.random.choice((0, 1, 100)), submitted=self.random.choice((None, {})))


@pytest.mark.parametrize("seed", range(3))
def test_no_data_breaks_a_definition(seed: int) -> None:
    chance = Chance(seed)
    for case in of_kind("execution"):
        run = Run(compile_asl(case["definition"]), chance, longest=300)
        outcome = run.run(names(case), chance.changed(case.get("input")))
        assert outcome.status in ("SUCCEEDED", "FAILED", "TIMED_OUT", "RUNNING"), case["name"]


@pytest.mark.parametrize("seed", range(3))
def test_no_data_breaks_a_state_under_test(seed: int) -> None:
    chance = Chance(seed)
    for case in of_kind("test_state"):
        if "exception" not in case["expected"]:
            given = given_of(case)
            tested = inspect(subject(case), replace(given, input=chance.changed(given.input), result=chance.value()))
            assert (tested.status == "FAILED") <= (tested.next is None), case["name"]
