"""The aws family, on moto or on whatever `scripts/test --endpoint` names. Its clock cannot be moved."""

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, closing
from pathlib import Path

from linkflow.adapters.aws.dynamodb import DynamoTable
from linkflow.adapters.aws.kms import KmsKeyRing
from linkflow.adapters.aws.resources import make
from linkflow.adapters.aws.s3 import S3Blobs
from linkflow.adapters.aws.session import AwsSession, Place
from linkflow.adapters.aws.sqs import SqsQueue
from linkflow.adapters.clock import VirtualClock
from linkflow.adapters.joined import JoinedQueue
from linkflow.runtime.emulators import moto
from linkflow.stores.catalogue import ScanningCatalogue
from tests.contract.family import QUEUES, Family

ENDPOINT = os.environ.get("LINKFLOW_TEST_ENDPOINT")  # noqa: TID251 (given by scripts/test --endpoint)


@asynccontextmanager
async def on_an_emulator(clock: VirtualClock, _: Path) -> AsyncIterator[Family]:
    with ExitStack() as stack:
        endpoint = ENDPOINT or stack.enter_context(moto())
        name = f"t{secrets.token_hex(6)}"
        place = Place("us-east-1", endpoint)
        session = stack.enter_context(closing(AwsSession(place)))
        await make(session, place, name, name, QUEUES, name, f"alias/{name}")
        queue = JoinedQueue(SqsQueue(session, name, QUEUES))
        table = DynamoTable(session, name, queue)
        yield Family(
            table,
            queue,
            S3Blobs(session, name),
            KmsKeyRing(session, f"alias/{name}", clock),
            None,
            ScanningCatalogue(table),
            forgetful=not ENDPOINT,
            unlocked=not ENDPOINT,
        )
