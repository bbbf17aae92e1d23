"""The kinds of installations whose processes are killed."""

import contextlib
import secrets
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

from tests.crash.server import Emulator, Server, free_port, on_emulator, on_file
from tests.crash.story import Story, Told
from tests.flow.outside import Outside

Kind = Literal["one server", "two servers on one file", "an emulator of AWS"]


@contextlib.asynccontextmanager
async def installed(kind: Kind) -> AsyncIterator[dict[str, str]]:
    """The settings that its servers share, while what they stand on is there."""
    if kind == "an emulator of AWS":
        async with Emulator() as emulator:
            yield on_emulator(emulator.endpoint, f"c{secrets.token_hex(4)}")
        return
    with tempfile.TemporaryDirectory() as data:
        yield on_file(Path(data))


async def tell(kind: Kind, seed: int, count: int, kills: int, restarts: int) -> Told:
    """One story of this kind."""
    async with installed(kind) as settings, Outside() as outside:
        servers = [Server(settings, free_port()) for _ in range(1 if kind == "one server" else 2)]
        story = Story(servers, outside, seed, lambda: Server(settings, free_port()))
        try:
            return await story.tell(count, kills, restarts)
        finally:
            for server in (*story.servers, *story.gone):
                await server.stop()
