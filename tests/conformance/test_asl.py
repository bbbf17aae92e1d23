"""The core against what Step Functions recorded: executions, and single states under test.

`FLOORS` says how many of each category agree: numbers that may grow, and never shrink. What is out of scope or apart is
in RESULTS.md.
"""

from collections.abc import Mapping
from typing import Final

import pytest

from tests.conformance.cases import ROOT
from tests.conformance.results import TABLE, executions, lines, replayed, state_tests

pytestmark = pytest.mark.skipif(not ROOT.exists(), reason="the recorded cases are not beside the repository")

FLOORS: Final[Mapping[str, Mapping[str, int]]] = {
    "activities": {"outcome": 3, "events": 3},
    "api": {"outcome": 3},
    "arguments": {"outcome": 4, "events": 4},
    "assign": {"outcome": 33, "events": 33, "cause": 4},
    "base": {"outcome": 11, "events": 11, "cause": 2},
    "choice-operators": {"outcome": 290},
    "choice-scenarios": {"outcome": 9, "events": 9},
    "comments": {"outcome": 1, "events": 1},
    "context-object": {"outcome": 4, "events": 4, "cause": 1},
    "credentials": {"outcome": 2, "events": 2, "cause": 1},
    "error-handling": {"outcome": 20, "events": 20, "cause": 7},
    "express": {"outcome": 7, "cause": 2},
    "intrinsic": {"outcome": 86, "events": 86},
    "intrinsic-jsonata": {"outcome": 22, "events": 22, "cause": 1},
    "jsonata": {"outcome": 12, "events": 12},
    "jsonata-output": {"outcome": 8, "events": 8},
    "logs": {"outcome": 11, "events": 11, "cause": 10},
    "map": {"outcome": 35, "events": 35, "cause": 19},
    "map-distributed": {"outcome": 21, "events": 21, "cause": 5},
    "map-distributed-io": {"outcome": 12, "events": 12, "cause": 2},
    "parallel": {"outcome": 5, "events": 5},
    "query-language": {"outcome": 8, "events": 8},
    "scenarios-misc": {"outcome": 4, "events": 4, "cause": 4},
    "services": {"outcome": 12, "events": 12},
    "timeouts": {"outcome": 4, "events": 4},
    "wait": {"outcome": 14, "events": 14, "cause": 9},
}
"""By category: outcome, events, cause."""

REPLAYED: Final[Mapping[str, int]] = {"outcome": 48, "events": 48, "cause": 12}
STATE_TESTS: Final[Mapping[str, int]] = {"outcome": 99, "stages": 99}


@pytest.mark.parametrize("category", sorted(FLOORS))
def test_executions_end_as_they_did_on_aws(category: str) -> None:
    """Also: each book rebuilds the state that wrote it, and each history has the ids that the causes name."""
    agree = executions()[category].agree
    assert [what for what, floor in FLOORS[category].items() if agree[what] < floor] == []


def test_no_category_is_forgotten() -> None:
    assert set(executions()) == set(FLOORS)


def test_executions_with_replayed_services_end_as_they_did_on_aws() -> None:
    for what, floor in REPLAYED.items():
        assert sum(tally.agree[what] for tally in replayed().values()) >= floor


def test_single_states_answer_as_they_did_on_aws() -> None:
    for what, floor in STATE_TESTS.items():
        assert sum(tally.agree[what] for tally in state_tests().values()) >= floor


def test_the_table_in_the_repository_is_the_present_one() -> None:
    assert TABLE.read_text() == "\n".join(lines()) + "\n"
