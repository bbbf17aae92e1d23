"""A real server process that is killed without warning and started again on the same data."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import sys
from pathlib import Path


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Server:
    """`key` is what the very first start on `data` printed."""

    def __init__(self, data: Path, port: int) -> None:
        self._data = data
        self._port = port
        self._process: asyncio.subprocess.Process | None = None
        self.address = f"http://127.0.0.1:{port}"
        self.key = ""
        self.kills = 0

    async def start(self) -> None:
        """Returns when it listens."""
        options = ["--port", str(self._port), "--data", str(self._data), "--allow", "127.0.0.1"]
        environment = {**os.environ, "LINKFLOW_LOG": "error", "PYTHONPATH": os.pathsep.join(sys.path)}  # noqa: TID251 (a child's)
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "functions", *options, env=environment, stdout=asyncio.subprocess.PIPE
        )
        said = ""
        assert self._process.stdout is not None
        while "export KEY=" not in said:
            line = await self._process.stdout.readline()
            assert line, f"the server did not start: {said}"
            said += line.decode()
        found = re.search(r"export KEY=(lf_\S+)", said)
        self.key = found[1] if found else self.key

    async def kill(self) -> None:
        """`kill -9`: no handler runs, nothing is flushed."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()
            self.kills += 1

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            await self._process.wait()
