"""Making somebody look at an execution: now, perhaps with something to tell it, or at a moment."""

from hashlib import sha256

import msgspec

from linkflow.engine.engine import Engine
from linkflow.execution.events import News
from linkflow.messages import LANE, TIMERS, Alarm, Wake
from linkflow.ports import Send

LONGEST_DELAY = 900.0
"""Seconds: what a delay queue can bear (SQS). Later moments wait in the watchdog's index."""

LONGEST_MESSAGE = 200_000
"""Bytes; SQS takes 256 KiB."""

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[tuple[News, ...]] = msgspec.json.Decoder(tuple[News, ...])


def wake(workspace: str, execution: str) -> Send:
    """The lane message that brings a visit."""
    return _send(Wake(workspace, execution))


async def tell(engine: Engine, workspace: str, execution: str, news: News) -> None:
    """Bring a visit that tells the execution `news`. What no queue can carry goes by way of the blob store."""
    send = _send(Wake(workspace, execution, (news,)))
    if len(send.body) > LONGEST_MESSAGE:
        content = _encoder.encode((news,))
        name = f"{workspace}/{execution}/news-{sha256(content).hexdigest()}"
        await engine.blobs.put(name, content)
        send = _send(Wake(workspace, execution, blob=name))
    await engine.queue.send([send])


async def heard(engine: Engine, message: Wake) -> tuple[News, ...]:
    """What the message has to tell. Nothing, where a visit has heard it before."""
    if message.blob is None:
        return message.news
    content = await engine.blobs.get(message.blob)
    return () if content is None else _decoder.decode(content)


def _send(message: Wake) -> Send:
    return Send(LANE.name, _encoder.encode(message), group=message.execution)


async def alarm(engine: Engine, workspace: str, execution: str, moment: float) -> None:
    """Wake the execution at `moment` (seconds since 1970), within about a second."""
    delay = moment - engine.clock.now()
    if delay <= LONGEST_DELAY:
        body = _encoder.encode(Alarm(workspace, execution, moment))
        await engine.queue.send([Send(TIMERS.name, body, delay=max(0.0, delay))])
    else:
        await engine.summaries.check_again(workspace, execution, moment - LONGEST_DELAY / 2)
