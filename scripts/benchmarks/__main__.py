"""`scripts/bench [a b …] [cost] [peers]`: loads by letter; what AWS would bill; LinkFlow beside other engines."""

import asyncio
import sys
from collections.abc import Callable, Mapping

from rich.console import Console
from rich.table import Table

from scripts.benchmarks import cost
from scripts.benchmarks.line import Line
from scripts.benchmarks.loads import LOADS
from scripts.benchmarks.peers import compare
from scripts.benchmarks.server import server

_PROGRAMS: Mapping[str, Callable[[], None]] = {"cost": cost.main, "peers": compare.main}


async def measure(letters: list[str]) -> list[Line]:
    with server() as on:
        return [line for letter in letters for line in await LOADS[letter](on)]


def main() -> None:
    asked = sys.argv[1:] or [*sorted(LOADS), "cost"]
    unknown = [one for one in asked if one not in LOADS and one not in _PROGRAMS]
    if unknown:
        there = " ".join([*sorted(LOADS), *_PROGRAMS])
        raise SystemExit(f"There are the loads {there}, but not {' '.join(unknown)}.")
    if letters := [one for one in asked if one in LOADS]:
        _print_lines(letters)
    for one in asked:
        if one in _PROGRAMS:
            _PROGRAMS[one]()


def _print_lines(letters: list[str]) -> None:
    table = Table("load", "measured", "floor", "CPU")
    for line in asyncio.run(measure(letters)):
        table.add_row(line.load, line.measured, line.floor, line.cpu)
    Console().print(table)


if __name__ == "__main__":
    main()
