"""`kill -9` at random moments under load; the long run is `scripts/crash`."""

from pathlib import Path

import pytest

from tests.crash.server import Server, free_port
from tests.crash.story import Story
from tests.flow.outside import Outside


@pytest.mark.slow
@pytest.mark.parametrize(("servers", "seed"), [(1, 1), (2, 2)], ids=["one server", "two servers on one file"])
async def test_after_any_number_of_kills_every_accepted_execution_is_completed_once(
    tmp_path: Path, servers: int, seed: int
) -> None:
    running = [Server(tmp_path, free_port()) for _ in range(servers)]
    try:
        async with Outside() as outside:
            await Story(running, outside, seed).tell(count=50, kills=4)
        assert sum(server.kills for server in running) == 4
    finally:
        for server in running:
            await server.stop()
