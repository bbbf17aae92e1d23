"""A workspace's limits: set, listed with how full they are, taken away. Known everywhere within half a minute."""

from functions.api.limits.schemas import LimitList, LimitView, SetLimit
from linkflow.errors import Fault, Invalid
from linkflow.nodes.base import TaskNode
from linkflow.runtime.wiring import World
from linkflow.stores.limits import Line
from linkflow.stores.rules import MOST, Rule

_KINDS = ("host", "credential", "queue", "type")


async def listed(world: World, workspace: str) -> LimitList:
    rules = await world.engine.rule_items.all(workspace)
    return LimitList(data=[await _view(world, workspace, rule) for rule in rules])


async def put(world: World, workspace: str, name: str, given: SetLimit) -> LimitView:
    """Raises `Invalid` with every fault. Hosts are the same in upper and lower case."""
    name = name.lower() if name.startswith("host:") else name
    rules = await world.engine.rule_items.all(workspace)
    faults = _faults(world, name, given)
    if len(rules) >= MOST and name not in {rule.name for rule in rules}:
        faults.append(Fault("$.name", "too_many", f"A workspace has at most {MOST} limits; take one away first."))
    if faults:
        raise Invalid("The limit", faults)
    rule = Rule(name, given.at_once, given.limit, given.per_seconds, given.isolated)
    await world.engine.rule_items.put(workspace, rule)
    world.engine.rules.forget(workspace)
    return await _view(world, workspace, rule)


async def delete(world: World, workspace: str, name: str) -> None:
    await world.engine.rule_items.delete(workspace, name)
    world.engine.rules.forget(workspace)


def _faults(world: World, name: str, given: SetLimit) -> list[Fault]:
    kind, _, what = name.partition(":")
    if kind not in _KINDS or not what:
        known = ", ".join(f"'{one}:…'" for one in _KINDS)
        return [Fault("$.name", "unknown_kind", f"A limit is named {known}; such as 'host:api.example.com'.")]
    node = world.engine.nodes.get(what)
    if kind == "type" and (node is None or not issubclass(node, TaskNode)):
        return [Fault("$.name", "unknown_type", f"There is no node type '{what}' that runs as a task.")]
    if kind == "type" and (given.at_once is not None or given.limit is not None or not given.isolated):
        return [Fault("$.isolated", "only_isolated", "A node type can be isolated; limits are set for hosts.")]
    if kind != "type" and given.isolated:
        return [Fault("$.isolated", "not_a_type", "Only node types ('type:http_request') can be isolated.")]
    if kind != "type" and given.at_once is None and given.limit is None:
        return [Fault("$", "no_limit", "Give 'at_once', or 'limit' with 'per_seconds', or both.")]
    return []


async def _view(world: World, workspace: str, rule: Rule) -> LimitView:
    in_use = 0
    if rule.at_once is not None:
        read, now = await world.engine.limit_items.slots(Line(workspace, rule.name, rule.at_once)), world.clock.now()
        in_use = sum(one.count for one in read.slots.holders.values() if one.until > now)
    return LimitView(
        name=rule.name,
        at_once=rule.at_once,
        limit=rule.limit,
        per_seconds=rule.per_seconds,
        isolated=rule.isolated,
        in_use=in_use,
    )
