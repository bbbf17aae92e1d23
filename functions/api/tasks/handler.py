"""Routes by which work outside ends the tasks that wait for it, as `SendTaskSuccess` and its like do on AWS."""

from functions.api.auth.guard import caller
from functions.api.tasks.schemas import TaskDone, TaskRefused, TaskToken
from linkflow.engine.callbacks import Refusal, fail, heartbeat, succeed
from linkflow.runtime.routes import Routes
from linkflow.runtime.wiring import World

_TAGS = ["tasks"]


def task_routes(routes: Routes, world: World) -> None:
    @routes.post("/api/v1/tasks/succeed", tags=_TAGS, summary="End a waiting task with its output", status_code=202)
    async def succeed_task(body: TaskDone) -> None:
        await succeed(world.engine, caller().workspace, body.token, body.output)

    @routes.post("/api/v1/tasks/fail", tags=_TAGS, summary="Fail a waiting task", status_code=202)
    async def fail_task(body: TaskRefused) -> None:
        await fail(world.engine, caller().workspace, body.token, Refusal(body.error, body.cause))

    @routes.post("/api/v1/tasks/heartbeat", tags=_TAGS, summary="The work still goes on", status_code=202)
    async def beat_task(body: TaskToken) -> None:
        await heartbeat(world.engine, caller().workspace, body.token)
