"""Ten durable steps on DBOS, a library in this process, over its SQLite store. Prints one line of JSON.

Run by `scripts/bench peers` with the Python of the peers' own environment.
"""

import json
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

BEGAN = time.perf_counter()

from dbos import DBOS, DBOSConfig  # noqa: E402 (loading it is part of starting)

ROUNDS = 40
MANY = 500
STEPS = 10


@DBOS.step()
def step(number: int) -> int:
    return number


@DBOS.workflow()
def ten(number: int) -> int:
    for each in range(STEPS):
        step(each)
    return number


def _timed(number: int) -> float:
    began = time.perf_counter()
    ten(number)
    return time.perf_counter() - began


def _resident() -> float:
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * 4096 / 1e6


def main(directory: str) -> None:
    config: DBOSConfig = {
        "name": "bench",
        "system_database_url": f"sqlite:///{directory}/dbos.sqlite",
        "run_admin_server": False,
        "log_level": "ERROR",
    }
    DBOS(config=config)
    DBOS.launch()
    ten(0)
    told: dict[str, float] = {"first": time.perf_counter() - BEGAN, "memory": _resident()}
    told["median"] = statistics.median(_timed(number) for number in range(ROUNDS))
    with ThreadPoolExecutor(32) as pool:
        cpu, began = time.process_time(), time.perf_counter()
        list(pool.map(ten, range(MANY)))
        told["rate"] = MANY * STEPS / (time.perf_counter() - began)
        told["cpu"] = (time.process_time() - cpu) / (MANY * STEPS)
    print(json.dumps(told))
    DBOS.destroy()


if __name__ == "__main__":
    main(sys.argv[1])
