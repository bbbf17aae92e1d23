"""Placement: the one place that decides where a task runs.

    here       inside the visit
    queue      by a worker function, since the task may take longer than a visit does
    isolated   by the isolated worker function, which has no table, no keys and no secrets: node types, nodes of a
               workflow, or types of a workspace that are not trusted
    remote     by somebody's own worker, who leases it over HTTP

The answer depends on the task and on what the workspace says of its type, so that whoever takes over an execution
knows where each of its tasks is. Should the workspace change its mind meanwhile, a task may run in both places, with
one idempotency key, and is recorded once.
"""

from collections.abc import Collection, Mapping
from typing import Literal

import msgspec

from linkflow.execution.commands import RunTask
from linkflow.execution.state import State
from linkflow.execution.tokens import task_token
from linkflow.language.asl.waits import plain
from linkflow.messages import LARGEST_BODY, TASKS, TASKS_ISOLATED, IsolatedTask, TaskMessage, packed
from linkflow.nodes.base import RESOURCE, BaseNode, NodeFailed, TaskNode
from linkflow.ports import Send

Placement = Literal["here", "queue", "isolated", "remote"]

_encoder = msgspec.json.Encoder()


def place(
    task: RunTask, visit: float | None, nodes: Mapping[str, type[BaseNode]], untrusted: Collection[str] = ()
) -> Placement:
    """`visit`: seconds that one visit may take; None: as many as it needs. `untrusted`: node types that the workspace
    wants isolated."""
    if task.pattern == "activity":
        return "remote"
    if task.isolated or _is_isolated(task.resource, nodes, untrusted):
        return "isolated"
    if visit is None or task.timeout is None or task.timeout <= visit:
        return "here"
    return "queue"


def _is_isolated(resource: str, nodes: Mapping[str, type[BaseNode]], untrusted: Collection[str]) -> bool:
    name = plain(resource).removeprefix(RESOURCE)
    kind = nodes.get(name)
    return kind is not None and issubclass(kind, TaskNode) and (kind.isolated or name in untrusted)


def dispatch(workspace: str, execution: str, task: RunTask) -> Send:
    """The message that takes a task to the queue's workers. One that would be too large goes without its arguments,
    which the worker then finds in the book."""
    body = _encoder.encode(TaskMessage(workspace, execution, task))
    if len(body) > LARGEST_BODY:
        bare = msgspec.structs.replace(task, arguments=None)
        body = _encoder.encode(TaskMessage(workspace, execution, bare, bare=True))
    return Send(TASKS.name, body, share=workspace)


def dispatch_isolated(state: State, task: RunTask) -> Send:
    """The message that takes a task to the isolated workers, with all they will ever know. Raises `NodeFailed` for an
    input that no message can carry."""
    bare = msgspec.structs.replace(task, token=None, credentials=None)
    token = task_token(state, task.scope, task.task)
    given = IsolatedTask(state.workspace, state.names.execution_id, bare, token)
    body = packed(_encoder.encode(given))
    if len(body) > LARGEST_BODY:
        raise NodeFailed(
            "LinkFlow.InputTooLarge",
            f"An isolated task gets its input in a message of at most {LARGEST_BODY:,} bytes, compressed; this one "
            f"takes {len(body):,}. Hand it less.",
            retryable=False,
        )
    return Send(TASKS_ISOLATED.name, body, share=state.workspace)
