"""Makes what the adapters need on an emulator; making it again changes nothing. On AWS itself `infra/` does this."""

import json
import math
from collections.abc import Sequence

from botocore.exceptions import ClientError

from linkflow.adapters.aws.model import model
from linkflow.adapters.aws.session import AwsSession, Place, code_of
from linkflow.adapters.aws.sqs import queue_name
from linkflow.ports import QueueSpec

_THERE = frozenset({"AlreadyExistsException", "BucketAlreadyExists", "BucketAlreadyOwnedByYou"})


async def make(
    session: AwsSession, place: Place, table: str, names: str, specs: Sequence[QueueSpec], bucket: str, key: str
) -> None:
    """The table, the queues with their dead letters, the bucket and the key."""
    await session.run(lambda: _make_table(table, place))
    for spec in specs:
        await _make_queue(session, names, spec)
    await _once(session, "s3", "create_bucket", Bucket=bucket)
    if key.startswith("alias/"):
        await _make_key(session, key)


def _make_table(table: str, place: Place) -> None:
    record = model(table, place)
    if not record.exists():
        record.create_table(wait=True)


async def _make_queue(session: AwsSession, names: str, spec: QueueSpec) -> None:
    fifo = {"FifoQueue": "true"} if spec.fifo else {}
    dead = await session.call(
        "sqs",
        "create_queue",
        QueueName=queue_name(names, spec.dead_letters, fifo=spec.fifo),
        Attributes={**fifo, "VisibilityTimeout": str(math.ceil(spec.visibility))},
    )
    about = await session.call("sqs", "get_queue_attributes", QueueUrl=dead["QueueUrl"], AttributeNames=["QueueArn"])
    redrive = {"deadLetterTargetArn": about["Attributes"]["QueueArn"], "maxReceiveCount": str(spec.max_receives)}
    await session.call(
        "sqs",
        "create_queue",
        QueueName=queue_name(names, spec.name, fifo=spec.fifo),
        Attributes={
            **fifo,
            "VisibilityTimeout": str(math.ceil(spec.visibility)),
            "RedrivePolicy": json.dumps(redrive),
        },
    )


async def _make_key(session: AwsSession, alias: str) -> None:
    aliases = await session.call("kms", "list_aliases")
    if any(one["AliasName"] == alias for one in aliases["Aliases"]):
        return
    made = await session.call("kms", "create_key", Description="LinkFlow")
    await _once(session, "kms", "create_alias", AliasName=alias, TargetKeyId=made["KeyMetadata"]["KeyId"])


async def _once(session: AwsSession, service: str, operation: str, **arguments: str) -> None:
    try:
        await session.call(service, operation, **arguments)
    except ClientError as error:
        if code_of(error) not in _THERE:
            raise
