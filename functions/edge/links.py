"""Links that people and programs follow without a key: to decide an approval, to end a wait for a callback.

Following one shows what it is about and changes nothing (mail programs look at links too); posting to it acts. One that
was used or comes too late is answered with 410 and says so. Who posts JSON is answered in JSON, all others by a page.
"""

from collections.abc import Awaitable
from typing import Final

from aws_lambda_powertools.event_handler import Response

from functions.edge import forms, pages
from linkflow.engine.approvals import ENDED, Vote, approval_id, decide, look
from linkflow.engine.links import open_link, read, resume
from linkflow.errors import LinkOver, Refused
from linkflow.execution.tokens import Link
from linkflow.runtime.calls import Call, current_call
from linkflow.runtime.routes import Routes, to_json_bytes
from linkflow.runtime.wiring import World
from linkflow.stores.approvals import Approval

NOBODY: Final = "somebody with the link"
"""Who decided by a link that is nobody's in particular."""
_TAGS: Final = ["links"]


def link_routes(routes: Routes, world: World) -> None:
    @routes.get("/approvals/<link>", tags=_TAGS, summary="What an approval link asks")
    async def show_approval(link: str) -> Response[bytes]:
        return await _shown(_ask(world, link))

    @routes.post("/approvals/<link>", tags=_TAGS, summary="Decide by an approval link")
    async def decide_by_link(link: str) -> Response[bytes]:
        call = current_call()
        if forms.is_json(call):
            return _answer(200, {"status": (await _decided(world, link, call)).status})
        return await _shown(_decision_page(world, link, call))

    @routes.get("/resume/<link>", tags=_TAGS, summary="What a resume link is for")
    async def show_resume(link: str) -> Response[bytes]:
        return await _shown(_explain(world, link))

    @routes.post("/resume/<link>", tags=_TAGS, summary="End a wait by its link", status_code=202)
    async def resume_by_link(link: str) -> Response[bytes]:
        await resume(world.engine, link, forms.content(current_call()))
        return _answer(202, {"resumed": True})


async def _ask(world: World, text: str) -> str:
    link, approval = await _approval(world, text)
    return pages.question(approval, link.person)


async def _decision_page(world: World, text: str, call: Call) -> str:
    approval = await _decided(world, text, call)
    return pages.thanks(approval)


async def _decided(world: World, text: str, call: Call) -> Approval:
    link, approval = await _approval(world, text)
    said = forms.said(call, approval.form)
    vote = Vote(link.person or NOBODY, said.decision, said.comment, said.data, linked=True)
    return await decide(world.engine, link.workspace, approval.id, vote)


async def _approval(world: World, text: str) -> tuple[Link, Approval]:
    """What the link asks, if that is still to be decided. Raises `NotFound`, `LinkOver`."""
    link = await read(world.engine, "approval", text)
    approval = await look(world.engine, link.workspace, approval_id(link.execution, link.task))
    status = approval.as_of(world.clock.now())
    if status != "pending":
        raise LinkOver(ENDED[status])
    if any(decision.by == (link.person or NOBODY) for decision in approval.decisions):
        raise LinkOver("You have decided already; others have still to.")
    await open_link(world.engine, "approval", text)
    return link, approval


async def _explain(world: World, text: str) -> str:
    await open_link(world.engine, "resume", text)
    return pages.waiting()


async def _shown(page: Awaitable[str]) -> Response[bytes]:
    """The page, or one that says what is wrong, with the fitting status."""
    try:
        return _html(200, await page)
    except Refused as error:
        return _html(error.status, pages.refused(error))


def _html(status: int, page: str) -> Response[bytes]:
    return Response(status, "text/html; charset=utf-8", page.encode(), dict(pages.HEADERS))


def _answer(status: int, body: object) -> Response[bytes]:
    return Response(status, "application/json", to_json_bytes(body), {"Cache-Control": "no-store"})
