"""`scripts/bench [a b c d e f g] [cost]`"""

import asyncio
import sys

from rich.console import Console
from rich.table import Table

from scripts.benchmarks import cost
from scripts.benchmarks.line import Line
from scripts.benchmarks.loads import LOADS
from scripts.benchmarks.server import server


async def measure(letters: list[str]) -> list[Line]:
    with server() as on:
        return [line for letter in letters for line in await LOADS[letter](on)]


def main() -> None:
    asked = sys.argv[1:] or [*sorted(LOADS), "cost"]
    letters = [letter for letter in asked if letter != "cost"]
    unknown = [letter for letter in letters if letter not in LOADS]
    if unknown:
        raise SystemExit(f"There are the loads {' '.join(sorted(LOADS))} and cost, but not {' '.join(unknown)}.")
    if letters:
        _print_lines(letters)
    if "cost" in asked:
        cost.main()


def _print_lines(letters: list[str]) -> None:
    table = Table("load", "measured", "floor", "CPU")
    for line in asyncio.run(measure(letters)):
        table.add_row(line.load, line.measured, line.floor, line.cpu)
    Console().print(table)


if __name__ == "__main__":
    main()
