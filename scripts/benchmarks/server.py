"""A LinkFlow server in a process of its own, with its key, and what it used of the machine."""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Server:
    port: int
    key: str
    pid: int
    started: float
    """Seconds from the start of the process to its first word."""

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory_megabytes(self) -> float:
        """Resident set: what the machine gives the process now."""
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text())
        return int(found[1]) / 1024 if found else 0.0


@contextlib.contextmanager
def server() -> Iterator[Server]:
    """A fresh one, on the file store with every commit on the disk; ended when the context is left."""
    with tempfile.TemporaryDirectory(dir=".", prefix=".bench-") as data:
        began = time.perf_counter()
        command = [sys.executable, "-m", "functions", "--port", "0", "--data", data]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield _listening(process, began)
            finally:
                process.terminate()


def _listening(process: subprocess.Popen[str], began: float) -> Server:
    said = ""
    assert process.stdout is not None  # noqa: S101 (asked for above)
    while "export KEY=" not in said:
        line = process.stdout.readline()
        if not line:
            raise SystemExit("The server did not start.")
        said += line
    port = re.search(r"http://127\.0\.0\.1:(\d+)", said)
    key = re.search(r"export KEY=(\S+)", said)
    if port is None or key is None:
        raise SystemExit("The server did not say where it is.")
    return Server(int(port[1]), key[1], process.pid, time.perf_counter() - began)
