"""A real server process that is killed without warning and started again on the same data."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Server:
    """`key` is what the very first start on these stores printed; `settings` say which they are."""

    def __init__(self, settings: Mapping[str, str], port: int) -> None:
        self._settings = settings
        self._port = port
        self._process: asyncio.subprocess.Process | None = None
        self.address = f"http://127.0.0.1:{port}"
        self.key = ""
        self.kills = 0

    async def start(self) -> None:
        """Returns when it listens."""
        options = ["--port", str(self._port), "--allow", "127.0.0.1"]
        given = {**self._settings, "LINKFLOW_LOG": "error", "PYTHONPATH": os.pathsep.join(sys.path)}
        environment = {**os.environ, **given}  # noqa: TID251 (a child's)
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

    @property
    def lives(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def stop(self) -> None:
        """In order, by SIGTERM."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            await self._process.wait()


def on_file(data: Path) -> dict[str, str]:
    """The settings of servers that share one SQLite file."""
    return {"LINKFLOW_FAMILY": "sqlite", "LINKFLOW_DATA": str(data)}


def on_emulator(endpoint: str, stage: str) -> dict[str, str]:
    """The settings of servers on what speaks AWS at `endpoint`; each stage has a table and queues of its own."""
    return {
        "LINKFLOW_FAMILY": "aws",
        "LINKFLOW_ENDPOINT_URL": endpoint,
        "LINKFLOW_STAGE": stage,
        "LINKFLOW_SECRET": "a secret of this story alone",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
    }


class Emulator:
    """moto in a process of its own, which nobody kills while the context lasts."""

    def __init__(self) -> None:
        self._port = free_port()
        self.endpoint = f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self._port)]
        silent = asyncio.subprocess.DEVNULL
        self._process = await asyncio.create_subprocess_exec(*command, stdout=silent, stderr=silent)
        for _ in range(600):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return self
        raise AssertionError("the emulator does not start")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        await self._process.wait()
