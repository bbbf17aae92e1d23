"""The control plane's API: every resource's routes behind one guard."""

from collections.abc import Sequence

from functions.api.approvals.handler import approval_routes
from functions.api.auth.guard import caller, key_guard
from functions.api.callbacks.handler import callback_routes
from functions.api.events.handler import event_routes
from functions.api.executions.handler import execution_routes
from functions.api.limits.handler import limit_routes
from functions.api.operations.handler import operation_routes
from functions.api.retention.handler import retention_routes
from functions.api.schedules.handler import schedule_routes
from functions.api.tasks.handler import task_routes
from functions.api.testing.handler import testing_routes
from functions.api.workflows.handler import workflow_routes
from functions.api.workspaces.handler import workspace_routes
from linkflow.runtime.functions import Function, HttpRoutes
from linkflow.runtime.routes import Routes
from linkflow.runtime.task_queues import task_queue_routes
from linkflow.runtime.wiring import World


def functions(world: World) -> Sequence[Function]:
    routes = Routes(key_guard(world))
    workflow_routes(routes, world)
    execution_routes(routes, world)
    schedule_routes(routes, world)
    task_routes(routes, world)
    task_queue_routes(routes, world, "/api/v1", lambda: caller().workspace)
    limit_routes(routes, world)
    callback_routes(routes, world)
    operation_routes(routes, world)
    approval_routes(routes, world)
    event_routes(routes, world)
    retention_routes(routes, world)
    workspace_routes(routes, world)
    testing_routes(routes, world)
    return [Function("api_http", "api", HttpRoutes(routes))]
