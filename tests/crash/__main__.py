"""`scripts/crash --minutes 10`: the same story with other seeds, again and again."""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from tests.crash.server import Server, free_port
from tests.crash.story import Story
from tests.flow.outside import Outside


async def run(seed: int) -> int:
    """One story; how many processes died in it."""
    with tempfile.TemporaryDirectory() as data:
        running = [Server(Path(data), free_port()) for _ in range(1 + seed % 2)]
        try:
            async with Outside() as outside:
                await Story(running, outside, seed).tell(count=50, kills=6)
            return sum(server.kills for server in running)
        finally:
            for server in running:
                await server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description="Kill servers at random under load.")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began, seed, kills = time.monotonic(), given.seed, 0
    while time.monotonic() - began < given.minutes * 60:
        kills += asyncio.run(run(seed))
        print(f"seed {seed}: fine; {kills} kills so far")  # noqa: T201 (a program)
        seed += 1


if __name__ == "__main__":
    main()
