"""A world over another table and queue than its own: ones that fail, die or count."""

from dataclasses import replace

from linkflow.engine.engine import build
from linkflow.ports import Queue, Table
from linkflow.runtime.wiring import World


def over(world: World, table: Table, queue: Queue) -> World:
    old = world.engine
    engine = build(
        table,
        queue,
        world.blobs,
        world.clock,
        world.ids,
        world.http,
        old.nodes,
        old.integrations,
        old.limits,
        old.platform,
    )
    return replace(world, table=table, queue=queue, engine=engine)
