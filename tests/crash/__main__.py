"""`scripts/crash --minutes 10 --on "one server"`: the same story with other seeds, again and again."""

import argparse
import asyncio
import time
from typing import get_args

from tests.crash.settings import Kind, tell


def main() -> None:
    parser = argparse.ArgumentParser(description="Kill servers at random under load.")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--on", choices=get_args(Kind), default=None, help="one kind of installation; all in turn")
    given = parser.parse_args()
    kinds: list[Kind] = [given.on] if given.on else list(get_args(Kind))
    began, seed, started, hooked, kills, replaced = time.monotonic(), given.seed, 0, 0, 0, 0
    while time.monotonic() - began < given.minutes * 60:
        kind = kinds[seed % len(kinds)]
        told = asyncio.run(tell(kind, seed, count=10 if kind == "an emulator of AWS" else 50, kills=6, restarts=2))
        started, hooked = started + told.started, hooked + told.hooked
        kills, replaced = kills + told.kills, replaced + told.replaced
        so_far = f"{started} starts, {hooked} webhooks, {kills} kills and {replaced} rolling restarts so far"
        print(f"seed {seed} on {kind}: fine; {so_far}", flush=True)  # noqa: T201 (a program)
        seed += 1


if __name__ == "__main__":
    main()
