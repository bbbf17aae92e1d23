"""Routes of approvals: what people are asked, and what they say."""

from functions.api.approvals.schemas import ApprovalPage, ApprovalView, Decide
from functions.api.approvals.views import approval_view
from functions.api.auth.guard import caller
from linkflow.engine.approvals import Vote, decide, look
from linkflow.runtime.parameters import Cursor, Limit
from linkflow.runtime.routes import Routes
from linkflow.runtime.wiring import World
from linkflow.stores.approvals import ApprovalStatus

_TAGS = ["approvals"]


def approval_routes(routes: Routes, world: World) -> None:
    @routes.get("/api/v1/approvals", tags=_TAGS, summary="What people are asked, newest first")
    async def list_approvals(
        status: ApprovalStatus = "pending", limit: Limit = 50, cursor: Cursor = None
    ) -> ApprovalPage:
        found, following = await world.engine.approvals.listed(caller().workspace, status, limit, cursor)
        now = world.clock.now()
        shown = [approval_view(one, now) for one in found if one.as_of(now) == status]
        return ApprovalPage(data=shown, next_cursor=following)

    @routes.get("/api/v1/approvals/<approval_id>", tags=_TAGS, summary="One approval with its decisions")
    async def get_approval(approval_id: str) -> ApprovalView:
        return approval_view(await look(world.engine, caller().workspace, approval_id), world.clock.now())

    @routes.post("/api/v1/approvals/<approval_id>/decide", tags=_TAGS, summary="Approve or reject")
    async def decide_approval(approval_id: str, body: Decide) -> ApprovalView:
        vote = Vote(caller().user, body.decision, body.comment, body.data)
        return approval_view(await decide(world.engine, caller().workspace, approval_id, vote), world.clock.now())
