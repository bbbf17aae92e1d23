"""What the isolated workers say, brought into the books; dead letters as callers see them."""

import contextlib
from collections.abc import Sequence

import msgspec

from functions.matching.schemas import DeadLetterPage, DeadLetterView, Which
from linkflow.engine.dead_letters import Wanted
from linkflow.engine.news import tell
from linkflow.errors import NotFound
from linkflow.messages import Outcome, Piece, unpacked
from linkflow.runtime.views import time_view
from linkflow.runtime.wiring import World
from linkflow.stores.dead_letters import DeadLetter

_DECODER = msgspec.json.Decoder(Outcome | Piece)


async def hear(world: World, body: bytes) -> None:
    """An outcome, or a piece of one: whoever brings the last piece tells it, and clears the pieces away. Pieces that
    come twice, or two last ones at the same time, tell it twice, which changes nothing."""
    said = _DECODER.decode(unpacked(body))
    if isinstance(said, Outcome):
        await _tell(world, said)
        return
    names = [f"{said.workspace}/outcomes/{said.name}-{said.of}-{number}" for number in range(said.of)]
    text = await _joined(world, said, names)
    if text is not None:
        await _tell(world, msgspec.json.decode(unpacked(text), type=Outcome))
        for name in names:
            await world.blobs.delete(name)


async def _tell(world: World, said: Outcome) -> None:
    with contextlib.suppress(NotFound):
        await tell(world.engine, said.workspace, said.execution, said.ended)


async def _joined(world: World, piece: Piece, names: Sequence[str]) -> bytes | None:
    """The whole text, once all its pieces are there."""
    await world.blobs.put(names[piece.number], piece.text.encode())
    found = [await world.blobs.get(name) for name in names]
    whole = [text for text in found if text is not None]
    return b"".join(whole) if len(whole) == piece.of else None


def wanted(workspace: str, which: Which) -> Wanted:
    return Wanted(None if which.everywhere else workspace, which.queue, which.ids)


def page(letters: Sequence[DeadLetter], cursor: str | None) -> DeadLetterPage:
    return DeadLetterPage(data=[_view(letter) for letter in letters], next_cursor=cursor)


def _view(letter: DeadLetter) -> DeadLetterView:
    return DeadLetterView(
        id=letter.id,
        queue=letter.queue,
        reason=letter.reason,
        died_at=time_view(letter.died_at),
        receives=letter.receives,
        workspace=letter.workspace,
        execution=letter.execution,
        about=letter.about,
    )
