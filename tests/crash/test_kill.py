"""`kill -9` at random moments under load, and rolling restarts; the long run is `scripts/crash`."""

import pytest

from tests.crash.settings import Kind, tell


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "seed", "count", "kills", "restarts"),
    [("one server", 1, 40, 4, 0), ("two servers on one file", 2, 40, 2, 3), ("an emulator of AWS", 3, 10, 2, 1)],
    ids=["one server", "two servers on one file", "an emulator of AWS"],
)
async def test_after_any_number_of_kills_every_accepted_execution_is_completed_once(
    kind: Kind, seed: int, count: int, kills: int, restarts: int
) -> None:
    told = await tell(kind, seed, count, kills, restarts)
    assert (told.kills, told.replaced) == (kills, restarts)
    assert told.hooked > 0
