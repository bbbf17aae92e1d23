"""Graphs inside nodes end as what they are exported to: loops, tries, repeats."""

from typing import Final

import pytest

from linkflow.language.json import Json
from tests.unit.exports import ODD, body, call, line, same, values
from tests.unit.graphs import node


def sometimes(name: str, source: str) -> dict[str, Json]:
    """Fails where the item says so."""
    url = "https://example.com/{{ item.fails ? 'fails' : '' }}"
    return node(name, "http_request", {"url": url, "body": f"{{{{ {source} }}}}"})


@pytest.mark.parametrize("items", [[], [None], ODD, [[1]], [[1], [2]]])
def test_a_loop_gives_the_same_list(items: Json) -> None:
    seen = values("seen", item="{{ item }}", at="{{ index }}", all="{{ trigger }}", one="{{ nodes.start }}")
    same(line(node("each", "loop", {"items": "{{ trigger }}", "body": body(seen)}), node("m", "merge")), items)
    same(line(node("each", "loop", {"items": "{{ trigger }}", "body": body(sometimes("a", "input"))})), items)
    same(line(node("each", "loop", {"items": [1, "{{ trigger }}"], "body": body(sometimes("a", "item"))})), items)


TOLERANCES: Final[list[dict[str, Json]]] = [
    {},
    {"tolerated_failures": 1},
    {"tolerated_percentage": 50},
    {"tolerated_failures": "{{ 2 }}", "tolerated_percentage": 40.5},
]


@pytest.mark.parametrize("tolerated", TOLERANCES)
@pytest.mark.parametrize("failing", range(5))
@pytest.mark.parametrize("on_error", ["stop", "continue", "branch"])
def test_a_loop_tolerates_as_many_failures(tolerated: dict[str, Json], failing: int, on_error: str) -> None:
    config = {"items": "{{ trigger }}", "body": body(sometimes("a", "[item.n]")), **tolerated}
    items = [{"fails": number < failing, "n": number} for number in range(4)]
    same(line(node("each", "loop", config, on_error=on_error)), items)


def test_loops_in_loops_see_their_own_items_and_all_that_is_around_them() -> None:
    leaf = values("leaf", v="{{ item }}", i="{{ index }}", row="{{ nodes.row.v }}", all="{{ $keys(nodes) }}")
    inner = node("inner", "loop", {"items": "{{ item }}", "body": body(leaf)})
    outer = node("outer", "loop", {"items": "{{ trigger }}", "body": body(values("row", v="{{ item }}"), inner)})
    assert same(line(outer), [[1, 2], [], [[3]]]) != []


@pytest.mark.parametrize("value", [{"fails": True}, {}])
@pytest.mark.parametrize("retry", [None, {"max_attempts": 2}])
@pytest.mark.parametrize("on_error", ["stop", "continue"])
@pytest.mark.parametrize("handled", [True, False])
def test_a_try_ends_alike(value: Json, retry: Json, on_error: str, handled: bool) -> None:
    risky = node(
        "risky", "http_request", {"url": "https://example.com/{{ trigger.fails ? 'fails' : '' }}", "body": [1]}
    )
    first = values("first", code="{{ error.code }}", vars="{{ vars.error.code }}")
    second = values("second", code="{{ error.code }}", input="{{ input }}") if handled else call("second", fails=True)
    config = {"body": body(values("before", v=1), risky), "handler": body(first, second)}
    same(line(node("attempt", "try", config, retry=retry, on_error=on_error), node("m", "merge")), value)


@pytest.mark.parametrize(
    "until",
    ["{{ output.n >= 3 }}", "{{ vars.passes >= 2 }}", "{{ $count($keys(vars)) = 1 }}", True, "{{ 5 }}", "{{ false }}"],
)
@pytest.mark.parametrize("on_error", ["stop", "branch"])
def test_a_repeat_ends_alike(until: Json, on_error: str) -> None:
    more = values("more", n="{{ input.n + 1 }}", done="{{ vars.passes }}", vars="{{ vars }}", list=["{{ [input] }}"])
    config = {"until": until, "at_most": 5, "body": body(more)}
    same(line(values("zero", n=0), node("again", "repeat", config, on_error=on_error)))


def test_a_repeat_hands_on_what_json_can_hold() -> None:
    for value in ODD:
        config = {"until": "{{ vars.passes > 1 }}", "body": body(call("same", "{{ input }}"))}
        assert same(line(node("again", "repeat", config)), value) == value
