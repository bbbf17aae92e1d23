"""Workflows put where an engine finds them, as somebody would have drawn them."""

from typing import Any

import msgspec

from linkflow import ids
from linkflow.engine.engine import Engine
from linkflow.language.graph.compile import content_hash
from linkflow.stores.records import Workflow, WorkflowVersion


async def drawn(engine: Engine, definition: Any, workspace: str = "ws") -> Workflow:
    now = engine.clock.now()
    workflow = Workflow(workspace, engine.ids.new(ids.WORKFLOW), "w", "graph", 1, now, now)
    text = msgspec.Raw(msgspec.json.encode(definition))
    await engine.workflows.create(workflow, WorkflowVersion(1, content_hash(definition), "graph", text, now), ())
    return workflow
