"""A LinkFlow process of the demonstration's own: its data lies in a temporary directory, its port is a free one."""

import asyncio
import contextlib
import os
import re
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass

from linkflow.client.calls import ApiError

_GRACE = 8.0
"""Seconds for an orderly stop (the server gives what runs 5), then it is killed."""


@dataclass(frozen=True, slots=True)
class Door:
    address: str
    key: str


@contextlib.asynccontextmanager
async def server() -> AsyncIterator[Door]:
    """Where it listens, with its owner's key. However the context is left, the process and its data are gone then."""
    with tempfile.TemporaryDirectory(prefix="linkflow-demo-") as data:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "functions", "--port", "0", "--data", data, "--allow", "127.0.0.1"),
            env=_environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C reaches us alone, and we stop it in order
        )
        errors = asyncio.create_task(_read(process.stderr))
        try:
            yield await _announced(process, errors)
        finally:
            await asyncio.shield(_stop(process))
            await errors


def _environment() -> dict[str, str]:
    """Ours, without the settings of whatever LinkFlow is used otherwise here."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LINKFLOW_")}  # noqa: TID251 (a child's environment, not a setting)
    return {**inherited, "LINKFLOW_LOG": "error", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


async def _announced(process: asyncio.subprocess.Process, errors: "asyncio.Task[str]") -> Door:
    """The first screen says where it is, and the key. Raises `ApiError` with what it said instead."""
    said = ""
    while line := await _line(process.stdout):
        said += line
        address = re.search(r"LinkFlow is at (\S+)", said)
        key = re.search(r"export KEY=(\S+)", said)
        if address and key:
            return Door(address[1], key[1])
    raise ApiError(0, "unreachable", f"The server did not start.\n{said}{await errors}".strip())


async def _line(stream: asyncio.StreamReader | None) -> str:
    return (await stream.readline()).decode() if stream else ""


async def _read(stream: asyncio.StreamReader | None) -> str:
    return (await stream.read()).decode() if stream else ""


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _GRACE)
    except TimeoutError:
        process.kill()
        await process.wait()
