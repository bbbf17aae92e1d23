"""`scripts/simulate --seeds A-B`: many stories, on every processor; `--tell` prints them instead of counting."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from os import cpu_count
from typing import Final

from tests.simulation.cast import STORIES
from tests.simulation.seeds import Tally, judged
from tests.simulation.tale import tale

AT_ONCE: Final = 5 * STORIES
"""Seeds that a process is given at a time: whole casts."""


def simulate(first: int, last: int, processes: int | None = None) -> Iterator[Tally]:
    """The seeds `first` to `last`, both included, in portions as they come to an end."""
    portions = [range(start, min(start + AT_ONCE, last + 1)) for start in range(first, last + 1, AT_ONCE)]
    with ProcessPoolExecutor(processes or cpu_count(), mp_context=get_context("spawn")) as pool:
        yield from pool.map(judged, portions)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("scripts/simulate", description="Whole executions in bad weather, by seed.")
    parser.add_argument("--seeds", default="0-1999", metavar="A-B", help="the seeds to play, both included (0-1999)")
    parser.add_argument("--tell", action="store_true", help="tell each story; a failing one as small as it can be made")
    parser.add_argument("--processes", type=int, default=None, help="how many work at a time (one per processor)")
    given = parser.parse_args(arguments)
    first, _, last = given.seeds.partition("-")
    if given.tell:
        for seed in range(int(first), int(last or first) + 1):
            print(tale(seed))  # noqa: T201 (a program)
        return 0
    whole = Tally()
    for tally in simulate(int(first), int(last or first), given.processes):
        whole.join(tally)
        for verdict in tally.failed:
            print(f"seed {verdict.seed}: {verdict.laws[0]}", flush=True)  # noqa: T201 (same)
    print(whole)  # noqa: T201 (same)
    for verdict in whole.failed[:1]:
        print(tale(verdict.seed))  # noqa: T201 (same)
    return 1 if whole.failed else 0


if __name__ == "__main__":
    sys.exit(main())
