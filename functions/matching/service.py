"""What the isolated workers say, brought into the books; dead letters as callers see them."""

import logging
from collections.abc import Sequence

import msgspec

from functions.matching.schemas import DeadLetterPage, DeadLetterView, Which
from linkflow.engine.callbacks import proven, report
from linkflow.engine.dead_letters import Wanted
from linkflow.errors import NotFound
from linkflow.messages import Outcome, Piece, unpacked
from linkflow.runtime.views import time_view
from linkflow.runtime.wiring import World
from linkflow.stores.dead_letters import DeadLetter

_log = logging.getLogger(__name__)
_DECODER = msgspec.json.Decoder(Outcome | Piece)


async def hear(world: World, body: bytes) -> None:
    """An outcome, or a piece of one: whoever brings the last piece tells it, and clears the pieces away. Pieces that
    come twice, or two last ones at the same time, tell it twice, which changes nothing. What proves no task is not
    believed, and not kept."""
    said = _DECODER.decode(unpacked(body))
    try:
        if isinstance(said, Outcome):
            await report(world.engine, said.token, said.ended)
        else:
            await _collect(world, said)
    except NotFound as unknown:
        _log.warning("outcome_refused", extra={"reason": str(unknown)})


async def _collect(world: World, piece: Piece) -> None:
    token, _ = await proven(world.engine, piece.token)
    names = [f"{token.workspace}/outcomes/{piece.name}-{piece.of}-{number}" for number in range(piece.of)]
    await world.blobs.put(names[piece.number], piece.text.encode())
    found = [await world.blobs.get(name) for name in names]
    whole = [text for text in found if text is not None]
    if len(whole) == piece.of:
        said = msgspec.json.decode(unpacked(b"".join(whole)), type=Outcome)
        await report(world.engine, said.token, said.ended)
        for name in names:
            await world.blobs.delete(name)


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
