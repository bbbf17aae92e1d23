"""One place that makes AWS clients, once per process, and turns what they raise into our errors.

The SDK blocks, so calls run in threads of their own. Clients are made at their first use: making one costs a quarter of
a second, which no function should pay for what it does not need.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from linkflow.errors import Throttled, Unreachable

THREADS = 32
_THROTTLES = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TransactionInProgressException",
    }
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where AWS is. With `endpoint_url` it is an emulator, which takes any credentials."""

    region: str
    endpoint_url: str | None = None


class AwsSession:
    """`client` and `call` are all that adapters need."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._clients: dict[str, Any] = {}
        self._making = Lock()
        self._threads = ThreadPoolExecutor(THREADS, "linkflow-aws")

    def client(self, service: str) -> Any:
        with self._making:
            if service not in self._clients:
                self._clients[service] = self._make(service)
            return self._clients[service]

    async def call(self, service: str, operation: str, **arguments: Any) -> Any:
        """One API call. Raises `Throttled`, `Unreachable`, and otherwise what the SDK raises (`ClientError`)."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(self._call, service, operation, arguments))

    async def run(self, work: Callable[[], Any]) -> Any:
        """Blocking work in one of our threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        for client in self._clients.values():
            client.close()

    def _call(self, service: str, operation: str, arguments: dict[str, Any]) -> Any:
        try:
            return getattr(self.client(service), operation)(**arguments)
        except ClientError as error:
            if code_of(error) in _THROTTLES:
                raise Throttled(service) from error
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
                raise Unreachable(service) from error
            raise
        except BotoCoreError as error:
            raise Unreachable(service) from error

    def _make(self, service: str) -> Any:
        emulated = "local" if self._place.endpoint_url else None
        config = Config(
            retries={"mode": "standard", "max_attempts": 4},
            max_pool_connections=THREADS,
            connect_timeout=5,
            read_timeout=30,
            parameter_validation=False,  # (a sixth of the CPU of a call; the adapters' arguments are typed)
        )
        session = boto3.session.Session(emulated, emulated, region_name=self._place.region)
        # The stubs know services by literal names only.
        return session.client(service, endpoint_url=self._place.endpoint_url, config=config)  # type: ignore[call-overload]


def code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
