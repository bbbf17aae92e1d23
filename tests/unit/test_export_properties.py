"""Any graph and what it is exported to end alike."""

from hypothesis import given, settings
from hypothesis import strategies as st

from linkflow.language.json import Json
from tests.unit.exports import ODD, body, call, same
from tests.unit.graphs import graph, node


def _sources(draw: st.DrawFn, ancestors: list[str]) -> str:
    choices = [
        "trigger",
        "trigger.x",
        "input",
        "input.v",
        "$$.trigger.x",
        "[input]",
        "$exists(error)",
        "trigger.x[]",
        "1",
    ]
    choices += [f"nodes.{name}" for name in ancestors] + [f"$exists(nodes.{name})" for name in ancestors]
    return draw(st.sampled_from(choices))


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, Json]:
    """Any graph in which all failures that end it bear the same name, since which of several comes first may differ."""
    breaks = draw(st.sampled_from(["tasks", "expressions"]))
    nodes, edges = [node("start", "manual")], []
    behind: dict[str, set[str]] = {"start": set()}
    exits = {"start": ["default"]}
    for number in range(draw(st.integers(1, 6))):
        name = f"n{number}"
        before = draw(
            st.lists(
                st.sampled_from(sorted(behind)),
                min_size=0 if draw(st.integers(0, 5)) == 0 else 1,
                max_size=3,
                unique=True,
            )
        )
        behind[name] = set().union(before, *(behind[one] for one in before))
        edges += [f"{one} -{draw(st.sampled_from(exits[one]))}-> {name}" for one in before]
        nodes.append(_node(draw, name, sorted(behind[name]), breaks))
        exits[name] = _exits(nodes[-1])
    return graph(nodes, *edges)


def _node(draw: st.DrawFn, name: str, ancestors: list[str], breaks: str) -> dict[str, Json]:
    kinds = [
        "set",
        "condition",
        "http_request",
        "http_request",
        "respond",
        *(["merge"] if ancestors and "_" not in name else []),
    ]
    kinds += ["loop", "try"] if len(name) < 6 else []
    kind = draw(st.sampled_from(kinds))
    more = {"on_error": draw(st.sampled_from(["stop", "continue", "branch"])), "disabled": draw(st.integers(0, 7)) == 0}
    source = f"{{{{ {_sources(draw, ancestors)} }}}}"
    broken = draw(st.integers(0, 3)) == 0
    if broken and breaks == "expressions":
        source = "{{ $error('no') }}"
    text = "x" + source if breaks == "tasks" else "the words of errors differ"
    match kind:
        case "set":
            return node(
                name, kind, {"values": {"v": source, "l": [source, text]}, "keep_input": draw(st.booleans())}, **more
            )
        case "condition":
            operator = draw(st.sampled_from(["equals", "exists", "is_empty", "contains"]))
            right = draw(st.sampled_from(["a", "error", 1] if operator == "contains" else ODD))
            return node(name, kind, {"all": [{"left": source, "operator": operator, "right": right}]}, **more)
        case "merge":
            return node(name, kind, {"combine": draw(st.sampled_from(["object", "append"]))}, **more)
        case "loop":
            inner = body(*(_node(draw, f"{name}_{one}", [], breaks) for one in range(draw(st.integers(1, 2)))))
            return node(name, kind, {"items": [source, None], "body": _wired(inner)}, **more)
        case "try":
            bodies = {key: body(_node(draw, f"{name}_{key[0]}", ancestors, breaks)) for key in ("body", "handler")}
            return node(name, kind, bodies, **more)
        case "respond":
            return node(name, kind, draw(st.sampled_from([{}, {"body": source}])), **more)
        case _:
            return call(name, source, fails=broken and breaks == "tasks", **more)


def _wired(inner: dict[str, Json]) -> dict[str, Json]:
    """With edges that the nodes really have."""
    exits = {one["id"]: _exits(one)[0] for one in inner["nodes"]}
    return {**inner, "edges": [{**edge, "branch": exits[edge["source"]]} for edge in inner["edges"]]}


def _exits(drawn: dict[str, Json]) -> list[str]:
    found = ["true", "false"] if drawn["type"] == "condition" else ["default"]
    return found + (["error"] if drawn["on_error"] == "branch" else [])


@settings(max_examples=150, deadline=None)
@given(graphs(), st.sampled_from([*ODD, {"x": [1]}, {"x": None, "error": "e"}]))
def test_any_graph_and_its_export_end_alike(drawn: dict[str, Json], value: Json) -> None:
    same(drawn, value)
