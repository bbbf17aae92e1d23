"""The Queue port on SQS. FIFO queues keep the order of a group and drop repetitions; the redrive policy of each queue
moves what was received too often to its dead letters (`resources.py`, `infra/`).
"""

import math
import secrets
from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from linkflow.adapters.aws.session import AwsSession, code_of
from linkflow.errors import Broken, Throttled, TooLarge
from linkflow.ports import Message, QueueSpec, Send

LARGEST_BODY = 256 * 1024
LONGEST_DELAY = 900
LONGEST_POLL = 20
_BATCH = 10
_DEPTHS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class SqsQueue:
    """`names` is what the queues' names begin with: `linkflow-dev-lane.fifo`."""

    def __init__(self, session: AwsSession, names: str, specs: Sequence[QueueSpec]) -> None:
        self._session = session
        self._names = names
        self._fifo = {name: spec.fifo for spec in specs for name in (spec.name, spec.dead_letters)}
        self._fair = {spec.name for spec in specs if spec.fair and not spec.fifo}
        self._urls: dict[str, str] = {}

    async def send(self, messages: Sequence[Send]) -> None:
        """What is wrong with one of them is raised before any is sent."""
        queues = dict.fromkeys(message.queue for message in messages)
        of_queue = {queue: [message for message in messages if message.queue == queue] for queue in queues}
        calls = [
            (queue, [self._entry(str(number), message) for number, message in enumerate(batch)])
            for queue, ours in of_queue.items()
            for batch in _batches(ours)
        ]
        for queue, entries in calls:
            await self._send_batch(queue, entries)

    async def receive(self, queue: str, limit: int = 10, wait: float = 0.0) -> Sequence[Message]:
        answer = await self._session.call(
            "sqs",
            "receive_message",
            QueueUrl=await self._url(queue),
            MaxNumberOfMessages=min(limit, _BATCH),
            WaitTimeSeconds=min(LONGEST_POLL, math.floor(wait)),
            AttributeNames=["ApproximateReceiveCount", "MessageGroupId"],
        )
        return tuple(_message(queue, one, fifo=self._fifo[queue]) for one in answer.get("Messages", ()))

    async def delete(self, messages: Sequence[Message]) -> None:
        for queue in dict.fromkeys(message.queue for message in messages):
            ours = [message for message in messages if message.queue == queue]
            for start in range(0, len(ours), _BATCH):
                entries = [
                    {"Id": str(number), "ReceiptHandle": message.receipt}
                    for number, message in enumerate(ours[start : start + _BATCH])
                ]
                # Entries that fail have a stale receipt: the message belongs to somebody else now.
                await self._session.call(
                    "sqs", "delete_message_batch", QueueUrl=await self._url(queue), Entries=entries
                )

    async def postpone(self, message: Message, seconds: float) -> None:
        try:
            await self._session.call(
                "sqs",
                "change_message_visibility",
                QueueUrl=await self._url(message.queue),
                ReceiptHandle=message.receipt,
                VisibilityTimeout=math.ceil(seconds),
            )
        except ClientError as error:
            if code_of(error) not in _STALE:
                raise

    async def depth(self, queue: str) -> int:
        answer = await self._session.call(
            "sqs", "get_queue_attributes", QueueUrl=await self._url(queue), AttributeNames=list(_DEPTHS)
        )
        return sum(int(answer["Attributes"][name]) for name in _DEPTHS)

    async def _send_batch(self, queue: str, entries: list[dict[str, Any]]) -> None:
        for _ in range(3):
            answer = await self._session.call(
                "sqs", "send_message_batch", QueueUrl=await self._url(queue), Entries=entries
            )
            failed = {one["Id"] for one in answer.get("Failed", ())}
            entries = [entry for entry in entries if entry["Id"] in failed]
            if not entries:
                return
        raise Throttled(f"The queue {queue}")

    def _entry(self, number: str, message: Send) -> dict[str, Any]:
        entry: dict[str, Any] = {"Id": number, "MessageBody": message.body.decode()}
        if self._fifo[message.queue]:
            if message.group is None or message.delay:
                raise Broken(f"A message for the FIFO queue '{message.queue}' needs a group and takes no delay.")
            entry["MessageGroupId"] = message.group
            entry["MessageDeduplicationId"] = message.deduplication or secrets.token_hex(16)
        elif message.delay > 0:
            entry["DelaySeconds"] = min(LONGEST_DELAY, math.ceil(message.delay))
        if message.queue in self._fair and message.share:
            # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
            entry["MessageGroupId"] = message.share
        return entry

    async def _url(self, queue: str) -> str:
        if queue not in self._urls:
            if queue not in self._fifo:
                raise Broken(f"There is no queue '{queue}'.")
            name = queue_name(self._names, queue, fifo=self._fifo[queue])
            self._urls[queue] = (await self._session.call("sqs", "get_queue_url", QueueName=name))["QueueUrl"]
        return self._urls[queue]


_STALE = frozenset({"InvalidParameterValue", "MessageNotInflight", "ReceiptHandleIsInvalid"}) | {
    "AWS.SimpleQueueService.MessageNotInflight"
}


def queue_name(names: str, queue: str, *, fifo: bool) -> str:
    return f"{names}-{queue}{'.fifo' if fifo else ''}"


def _batches(messages: Sequence[Send]) -> Iterator[list[Send]]:
    """At most ten messages and 256 KB a call."""
    batch: list[Send] = []
    size = 0
    for message in messages:
        if len(message.body) > LARGEST_BODY:
            raise TooLarge("A message", len(message.body), LARGEST_BODY)
        if batch and (len(batch) == _BATCH or size + len(message.body) > LARGEST_BODY):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += len(message.body)
    if batch:
        yield batch


def _message(queue: str, given: dict[str, Any], *, fifo: bool) -> Message:
    attributes = given["Attributes"]
    return Message(
        given["MessageId"],
        queue,
        given["Body"].encode(),
        int(attributes["ApproximateReceiveCount"]),
        given["ReceiptHandle"],
        attributes.get("MessageGroupId") if fifo else None,
    )
