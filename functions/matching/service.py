"""What the isolated workers say, brought into the books."""

import contextlib

import msgspec

from linkflow.engine.news import tell
from linkflow.errors import NotFound
from linkflow.messages import Outcome, Piece, unpacked
from linkflow.runtime.wiring import World

_DECODER = msgspec.json.Decoder(Outcome | Piece)


async def hear(world: World, body: bytes) -> None:
    """An outcome, or a piece of one: whoever brings the last piece tells it. Pieces that come twice, or two last ones
    at the same time, tell it twice, which changes nothing."""
    said = _DECODER.decode(unpacked(body))
    if isinstance(said, Piece):
        text = await _joined(world, said)
        if text is None:
            return
        said = msgspec.json.decode(unpacked(text), type=Outcome)
    with contextlib.suppress(NotFound):
        await tell(world.engine, said.workspace, said.execution, said.ended)


async def _joined(world: World, piece: Piece) -> bytes | None:
    """The whole text, once all its pieces are there."""
    names = [f"{piece.workspace}/outcomes/{piece.name}-{piece.of}-{number}" for number in range(piece.of)]
    await world.blobs.put(names[piece.number], piece.text.encode())
    found = [await world.blobs.get(name) for name in names]
    whole = [text for text in found if text is not None]
    return b"".join(whole) if len(whole) == piece.of else None
