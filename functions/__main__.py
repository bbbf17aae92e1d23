"""`python -m functions`: everything in one process on this machine. `scripts/run` and `linkflow up` end here.

Options win over the environment (`LINKFLOW_…`), which wins over the defaults.
"""

import argparse
import contextlib
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from functions.services import declare
from linkflow.errors import Conflict, LinkFlowError
from linkflow.runtime.emulators import moto
from linkflow.runtime.hosts.embedded import run
from linkflow.runtime.settings import Settings, from_environment
from linkflow.runtime.welcome import welcome
from linkflow.runtime.wiring import World, connect
from linkflow.stores.accounts import Accounts


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    try:
        with _settings(given) as settings:
            if given.new_key:
                return _new_key(settings)
            _run(settings)
    except LinkFlowError as error:
        print(
            error.message, *(f"  {fault.path}: {fault.message}" for fault in error.details), sep="\n", file=sys.stderr
        )
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("linkflow up", description="Start LinkFlow on this machine.")
    parser.add_argument("--port", type=int, help="where to listen (8000; 0 takes any free port)")
    parser.add_argument("--host", help="the address to listen on (127.0.0.1)")
    parser.add_argument("--data", type=Path, help="where to keep everything (./data)")
    parser.add_argument("--on", choices=["sqlite", "moto", "aws"], default=None, help="what to stand on (sqlite)")
    parser.add_argument("--allow", help="private hosts that workflows may call, comma-separated")
    parser.add_argument("--new-key", action="store_true", help="print a new API key for the owner, and stop")
    return parser


@contextlib.contextmanager
def _settings(given: argparse.Namespace) -> Iterator[Settings]:
    chosen = {name: getattr(given, name) for name in ("port", "host", "data") if getattr(given, name) is not None}
    if given.allow is not None:
        chosen["allow_hosts"] = tuple(given.allow.split(","))
    settings = from_environment().model_copy(update=chosen)
    if not given.new_key:
        settings = settings.model_copy(update={"port": _port(settings)})
    if given.on == "moto":
        with moto() as endpoint:
            yield settings.model_copy(update={"family": "aws", "endpoint_url": endpoint})
    else:
        yield settings.model_copy(update={"family": given.on}) if given.on else settings


def _port(settings: Settings) -> int:
    """Chosen before anything is wired, since webhooks are told our address. Raises `Conflict` for one that cannot be
    had."""
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as error:
            raise Conflict(
                f"Nobody can listen at {settings.host}, port {settings.port}: {error.strerror}. Where another program "
                "has it (perhaps LinkFlow, in another terminal), choose another: --port 8001, or --port 0 for any."
            ) from error
        return int(listener.getsockname()[1])


def _run(settings: Settings) -> None:
    keys: list[str | None] = []
    workspaces: list[str] = []

    async def connected(settings: Settings) -> World:
        world = await connect(settings)
        accounts = Accounts(world.table)
        keys.append(await accounts.first_start(world.clock, world.ids))
        owner = await accounts.owner()
        workspaces.append(owner.workspace if owner else "")
        return world

    def listening(address: str) -> None:
        print(welcome(address, settings, keys[0], workspaces[0]), flush=True)

    run(settings, declare, connected, listening)


def _new_key(settings: Settings) -> int:
    """For whoever lost the first one, and for AWS, where nobody sees a first start. Being able to write the data is the
    proof of being the owner."""
    import asyncio  # noqa: PLC0415 (the server brings its own loop)

    async def issue() -> str | None:
        world = await connect(settings)
        try:
            accounts = Accounts(world.table)
            owner = await accounts.owner()
            if owner is None:
                return await accounts.first_start(world.clock, world.ids)
            return await accounts.issue(owner.workspace, owner.user, "new key", world.clock.now(), world.ids)
        finally:
            await world.close()

    key = asyncio.run(issue())
    print(key)
    return 0


if __name__ == "__main__":
    sys.exit(main())
