"""Every test that asks for `family` (or one of its parts) runs once for each adapter family."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from linkflow.adapters.clock import VirtualClock
from linkflow.ports import Blobs, KeyRing, Queue, Table
from tests.contract.families import FAMILIES, Family


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture(params=sorted(FAMILIES))
async def family(request: pytest.FixtureRequest, clock: VirtualClock, tmp_path: Path) -> AsyncIterator[Family]:
    async with FAMILIES[request.param](clock, tmp_path) as adapters:
        yield adapters


@pytest.fixture
def table(family: Family) -> Table:
    return family.table


@pytest.fixture
def queue(family: Family) -> Queue:
    return family.queue


@pytest.fixture
def blobs(family: Family) -> Blobs:
    return family.blobs


@pytest.fixture
def keyring(family: Family) -> KeyRing:
    return family.keyring


@pytest.fixture
def elapse(family: Family) -> Callable[[float], Awaitable[None]]:
    if family.elapse is None:
        pytest.skip("this family's time cannot be moved")
    return family.elapse
