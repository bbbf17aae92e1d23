"""The table of what agrees with AWS, by category: `python -m tests.conformance.results` writes RESULTS.md."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from tests.conformance.cases import Case, of_kind, out_of_scope, right_cause, right_events, right_outcome
from tests.conformance.runner import run_case
from tests.conformance.state_tests import right_answer, right_inspection, run_state_test

TABLE: Final = Path(__file__).parent / "RESULTS.md"


@dataclass
class Tally:
    """How many agree of how many, by what is compared."""

    agree: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    of: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    apart: list[str] = field(default_factory=list)

    def count(self, case: Case, what: str, right: bool | None) -> None:
        if right is None:
            return
        self.of[what] += 1
        self.agree[what] += right
        if not right:
            self.apart.append(f"{case['name']} ({what})")

    def add(self, other: "Tally") -> None:
        for what in other.of:
            self.of[what] += other.of[what]
            self.agree[what] += other.agree[what]

    def share(self, what: str) -> str:
        return f"{self.agree[what]} / {self.of[what]}" if self.of[what] else "–"


@cache
def executions() -> Mapping[str, Tally]:
    return _run(case for case in of_kind("execution") if out_of_scope(case) is None)


@cache
def replayed() -> Mapping[str, Tally]:
    """Executions whose services are not at hand: their tasks are answered as the recording says."""
    return _run(case for case in of_kind("execution") if (out_of_scope(case) or "").startswith("needs "))


def _run(cases: Iterable[Case]) -> Mapping[str, Tally]:
    tallies: dict[str, Tally] = defaultdict(Tally)
    for case in cases:
        tally, outcome = tallies[case["category"]], run_case(case)
        tally.count(case, "outcome", right_outcome(case, outcome))
        tally.count(case, "events", right_events(case, outcome))
        tally.count(case, "cause", right_cause(case, outcome))
    return tallies


@cache
def state_tests() -> Mapping[str, Tally]:
    tallies: dict[str, Tally] = defaultdict(Tally)
    for case in of_kind("test_state"):
        if "exception" not in case["expected"]:
            tally, told = tallies[case["category"]], run_state_test(case)
            tally.count(case, "outcome", right_answer(case, told))
            tally.count(case, "stages", right_inspection(case, told))
    return tallies


def total(tallies: Mapping[str, Tally]) -> Tally:
    whole = Tally()
    for tally in tallies.values():
        whole.add(tally)
    return whole


def _scope() -> Mapping[str, int]:
    reasons: dict[str, int] = defaultdict(int)
    for case in of_kind("execution"):
        reason = out_of_scope(case)
        if reason is not None:
            reasons[reason] += 1
    return reasons


def _rows(tallies: Mapping[str, Tally], *columns: str) -> Iterator[str]:
    yield f"| category | {' | '.join(columns)} |"
    yield "|---|" + "---|" * len(columns)
    for name, tally in [*sorted(tallies.items()), ("**all**", total(tallies))]:
        yield f"| {name} | {' | '.join(tally.share(column) for column in columns)} |"


def lines() -> Iterator[str]:
    yield "# What agrees with Step Functions"
    yield ""
    yield "Recorded cases in agreement, by category. Written by `python -m tests.conformance.results`."
    yield ""
    yield "## Executions"
    yield ""
    yield "`events`: the types of the history's events and the names of entered states; `cause`: its exact text."
    yield ""
    yield from _rows(executions(), "outcome", "events", "cause")
    yield ""
    yield "Out of scope:"
    yield ""
    yield from (f"- {count} × {reason}" for reason, count in sorted(_scope().items()))
    yield ""
    yield "## Replayed"
    yield ""
    yield "Executions out of scope for want of their services, with tasks answered as recorded."
    yield ""
    yield from _rows(replayed(), "outcome", "events", "cause")
    yield ""
    yield "## TestState"
    yield ""
    yield from _rows(state_tests(), "outcome", "stages")
    apart = [
        name
        for tallies in (executions(), replayed(), state_tests())
        for tally in tallies.values()
        for name in tally.apart
    ]
    yield ""
    yield "## Apart"
    yield ""
    yield from [f"- {name}" for name in apart] or ["None."]


if __name__ == "__main__":
    TABLE.write_text("\n".join(lines()) + "\n")
