"""Our programs as people start them."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LINKFLOW = (sys.executable, "-c", "from linkflow.client.command_line import main; main()")
"""The command line, whether installed or not."""


def environment(**more: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LINKFLOW_")}  # noqa: TID251 (a child's)
    return {**inherited, "PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "160", "NO_COLOR": "1", **more}


def linkflow(*arguments: str, typed: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """The command line, to its end; `typed` is its standard input."""
    return subprocess.run(  # noqa: S603 (our own program)
        [*LINKFLOW, *arguments],
        env=environment(**variables),
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def server(data: Path, *options: str) -> Iterator[tuple[str, str, subprocess.Popen[str]]]:
    """A server process on a free port: its address, the key it printed (or what stands there), itself."""
    command = [sys.executable, "-m", "functions", "--port", "0", "--data", str(data), *options]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 (same)
        said = ""
        assert process.stdout
        while "export KEY=" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        address, key = re.search(r"is at (\S+)", said), re.search(r"export KEY=(.+)", said)
        assert address
        assert key
        try:
            yield address[1], key[1], process
        finally:
            process.terminate()
