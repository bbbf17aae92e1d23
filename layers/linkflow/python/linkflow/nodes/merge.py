from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from linkflow.language.graph.export.expressions import expression, query
from linkflow.language.graph.export.merges import appended, by_key, by_position, unmergeable
from linkflow.language.graph.export.port import Port, States
from linkflow.language.json import Json
from linkflow.language.program import Join, Outcome
from linkflow.language.view import EvaluationFailed, View
from linkflow.nodes.base import PureNode

_UNMERGEABLE = "Only objects can be merged by position or key."


class Merge(PureNode):
    """Waits for several branches and makes one value of their outputs. Branches that were not taken do not count.

    `wait_for`: `all` branches that are alive, the `first`, or a `quorum` of them. `combine`: an `object` by node id,
    `append` lists to one list, merge objects by `position`, or by the value of `key`."""

    type: ClassVar[str] = "merge"
    fixed: ClassVar[frozenset[str]] = frozenset({"wait_for", "quorum"})

    wait_for: Literal["all", "first", "quorum"] = Field(default="all", title="Wait for")
    quorum: int | None = Field(default=None, ge=1, title="Quorum")
    combine: Literal["object", "append", "position", "key"] = Field(default="object", title="Combine")
    key: str | None = Field(default=None, min_length=1, title="Key", description="The field that objects share.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.wait_for == "quorum") != (self.quorum is not None):
            raise ValueError("'quorum' goes with wait_for 'quorum', and only with it.")
        if (self.combine == "key") != (self.key is not None):
            raise ValueError("'key' goes with combine 'key', and only with it.")
        return self

    @classmethod
    def join(cls, config: Mapping[str, Json]) -> Join:
        quorum = {"all": None, "first": 1, "quorum": config.get("quorum")}[config.get("wait_for", "all")]
        return Join(quorum, gather=True)

    def evaluate(self, view: View) -> Outcome:
        outputs: Mapping[str, Json] = view.input
        if not isinstance(outputs, dict):
            raise EvaluationFailed("LinkFlow.BadMerge", "No branch leads to this merge, so there is nothing to merge.")
        match self.combine:
            case "object":
                return Outcome(outputs)
            case "append":
                return Outcome([item for output in outputs.values() for item in _as_list(output)])
            case "position":
                return Outcome(_by_position([_as_list(output) for output in outputs.values()]))
            case "key":
                return Outcome(_by_key([_as_list(output) for output in outputs.values()], self.key or ""))

    @classmethod
    def exported(cls, port: Port) -> States:
        """What cannot be merged is found by a Choice before, so that it fails by its own name."""
        if port.node.config.get("wait_for", "all") != "all":
            port.warn("waits_longer", "It waits for all nodes of its level, and takes the first of them as drawn.")
        combine, name = port.node.config.get("combine", "object"), port.name()
        if combine in ("object", "append"):
            output = port.input_query if combine == "object" else query(appended(port.input))
            return {name: {"Type": "Pass", **port.left(output)}}
        key = expression(port.node.config.get("key"))
        merged = by_position(port.input) if combine == "position" else by_key(port.input, key)
        merging, refusal = port.name("merges"), port.refusal("LinkFlow.BadMerge", _UNMERGEABLE)
        check = {"Condition": query(f"$not({unmergeable(port.input)})"), "Next": merging}
        return {
            name: {"Type": "Choice", "Choices": [check], "Default": next(iter(refusal))},
            merging: {"Type": "Pass", **port.left(query(merged))},
            **refusal,
        }


def _as_list(output: Json) -> list[Json]:
    return output if isinstance(output, list) else [output]


def _objects(items: list[Json]) -> list[dict[str, Json]]:
    for item in items:
        if not isinstance(item, dict):
            raise EvaluationFailed("LinkFlow.BadMerge", _UNMERGEABLE)
    return items


def _by_position(lists: list[list[Json]]) -> list[Json]:
    """The first with the first, and so on; what is longer keeps its own."""
    merged: list[Json] = []
    for position in range(max(map(len, lists), default=0)):
        parts = _objects([items[position] for items in lists if position < len(items)])
        merged.append({name: value for part in parts for name, value in part.items()})
    return merged


def _by_key(lists: list[list[Json]], key: str) -> list[Json]:
    """Objects with the same value of `key` become one, in the order in which the values first appear."""
    merged: dict[str, dict[str, Json]] = {}
    for items in lists:
        for item in _objects(items):
            merged.setdefault(repr(item.get(key)), {}).update(item)
    return list(merged.values())
