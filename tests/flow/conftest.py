"""The house under test: the embedded host with every service, on each family of adapters, driven over REST."""

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from functions.services import declare
from linkflow.runtime.emulators import moto
from linkflow.runtime.hosts.embedded import Embedded
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import connect
from linkflow.stores.accounts import Accounts
from tests.flow.house import House
from tests.flow.outside import Outside

ENDPOINT = os.environ.get("LINKFLOW_TEST_ENDPOINT")  # noqa: TID251 (given by scripts/test --endpoint)


@pytest.fixture(scope="session")
def emulator() -> Iterator[str]:
    """Something that speaks AWS: what `scripts/test --endpoint` names, or moto."""
    if ENDPOINT:
        yield ENDPOINT
    else:
        with moto() as address:
            yield address


@pytest.fixture(params=["aws"] if ENDPOINT else ["sqlite", "aws"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "sqlite":
        return Settings(data=tmp_path, allow_hosts=("127.0.0.1",))
    return Settings(
        family="aws",
        endpoint_url=request.getfixturevalue("emulator"),
        stage=f"t{secrets.token_hex(4)}",
        allow_hosts=("127.0.0.1",),
        secret=SecretStr("a long random text"),
    )


@pytest.fixture
async def house(settings: Settings) -> AsyncIterator[House]:
    world = await connect(settings)
    key = await Accounts(world.table).first_start(world.clock, world.ids)
    assert key is not None
    async with Embedded(world, declare(world)) as embedded, House(embedded, world, key) as open_house:
        yield open_house


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    """The world that workflows call."""
    async with Outside() as server:
        yield server
