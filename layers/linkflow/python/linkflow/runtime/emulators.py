"""AWS on this machine, for trying the aws family without an account."""

import contextlib
import logging
from collections.abc import Iterator


@contextlib.contextmanager
def moto() -> Iterator[str]:
    """A moto server while the context lasts; gives its address. What it holds is gone afterwards."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 (a development dependency)

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line per request would bury what LinkFlow says
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()
