"""The laws can fail: every bug that is planted is found, within a bounded number of seeds."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.simulation.planted import BUGS, MOST_SEEDS, Bug, spoiled


@pytest.fixture(scope="module")
def findings() -> dict[str, str]:
    """What looking for each bug says, each in an interpreter of its own."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return dict(zip([bug.name for bug in BUGS], threads.map(_looked_for, BUGS), strict=True))


def _looked_for(bug: Bug) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}  # noqa: TID251 (a child's)
    command = [sys.executable, "-m", "tests.simulation.planted", bug.name]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 (ours)
    return done.stdout.strip() or done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_every_planted_bug_is_found(bug: Bug, findings: dict[str, str]) -> None:
    """(That the same seeds find nothing where nothing is planted is what the whole simulation shows.)"""
    seed, _, law = findings[bug.name].partition(": ")
    assert seed.isdigit(), findings[bug.name]
    assert int(seed) < MOST_SEEDS
    assert law


def test_they_are_many_and_each_is_one_line_of_its_own() -> None:
    assert len(BUGS) >= 10
    assert len({bug.name for bug in BUGS}) == len(BUGS)
    assert spoiled(Bug("a name", "a.module", "x = 1", "x = 2"), "x = 1\ny = 1\n") == "x = 2\ny = 1\n"


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_what_is_to_be_spoiled_stands_where_it_is_said_to(bug: Bug) -> None:
    """(Whoever moves a line hears of it at once, not from the long runs.)"""
    module = find_spec(bug.module)
    assert module is not None
    assert Path(module.origin or "").read_text().count(bug.line) == 1
