"""Whatever befalls the processes, the promises hold: thousands of seeded stories (see the package)."""

import os
import subprocess
import sys

import pytest

from tests.simulation.__main__ import simulate
from tests.simulation.seeds import Tally, verdict_on

SEEDS = 2_000


@pytest.mark.slow
def test_whatever_happens_every_law_holds(capsys: pytest.CaptureFixture[str]) -> None:
    whole = Tally()
    for tally in simulate(0, SEEDS - 1):
        whole.join(tally)
    with capsys.disabled():
        print(f"\nsimulation: {whole}")  # noqa: T201 (how much was played is worth knowing)
    assert not whole.failed, [f"seed {one.seed}: {one.laws[0]}" for one in whole.failed]
    assert whole.seeds == SEEDS
    assert min(whole.executions, whole.faults, whole.deaths) > SEEDS


@pytest.mark.parametrize("seed", [2, 14, 23])
def test_a_seed_tells_the_same_story_every_time(seed: int) -> None:
    assert verdict_on(seed) == verdict_on(seed)


def test_a_seed_tells_the_same_story_in_every_process() -> None:
    """Whatever the hashes of texts and the addresses of objects are."""
    program = "from tests.simulation.seeds import verdict_on; print([verdict_on(seed).digest for seed in (2, 14, 23)])"
    said = {_output(program, hashes) for hashes in ("1", "2")}
    assert said == {f"{[verdict_on(seed).digest for seed in (2, 14, 23)]}\n"}


def _output(program: str, hashes: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hashes, "PYTHONPATH": os.pathsep.join(sys.path)}  # noqa: TID251 (a child's)
    return subprocess.run(  # noqa: S603 (our own program)
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    ).stdout
