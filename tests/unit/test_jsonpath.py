"""Paths in Step Functions' dialect: definite ones give a value, others an array; reference paths write a copy."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkflow.language import jsonpath
from linkflow.language.json import Json
from linkflow.language.jsonpath import JsonPathError, PathMismatch, PathNotFound

STORE = {
    "books": [
        {"title": "A", "price": 8, "tags": ["x", "y"]},
        {"title": "B", "price": 12.5},
        {"title": "C", "price": 22, "isbn": "0-1"},
    ],
    "owner": {"name": "N", "delivery-partner": True, "a b": 1, "none": None},
}
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=15,
)


def found(source: str, document: Json = STORE) -> Any:
    return jsonpath.compile(source).evaluate(document)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("$", STORE),
        ("$.owner.name", "N"),
        ("$['owner']['name']", "N"),
        ('$["owner"].name', "N"),
        ("$.owner.delivery-partner", True),
        ("$.owner['a b']", 1),
        ("$.owner.none", None),
        ("$.books[0].title", "A"),
        ("$.books[-1].title", "C"),
        ("$.books[0].tags[1]", "y"),
        ("$.owner['name','none']", {"name": "N", "none": None}),
    ],
)
def test_a_definite_path_gives_the_value(source: str, expected: Json) -> None:
    assert jsonpath.compile(source).definite
    assert found(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("$.books[*].title", ["A", "B", "C"]),
        ("$.books[0,2].title", ["A", "C"]),
        ("$.books[1:].title", ["B", "C"]),
        ("$.books[:1].title", ["A"]),
        ("$.books[-2:].title", ["B", "C"]),
        ("$.books[::2].title", ["A", "C"]),
        ("$..title", ["A", "B", "C"]),
        ("$.owner.*", ["N", True, 1, None]),
        ("$.books[?(@.isbn)].title", ["C"]),
        ("$.books[?(!@.isbn)].title", ["A", "B"]),
        ("$.books[?(@.price > 10 && @.title == 'B')].title", ["B"]),
        ("$.books[?(@.price < 10 || @.price >= 22)].title", ["A", "C"]),
        ("$.books[?(@.price == 22.0)].title", ["C"]),
        ("$.books[?(@.title in ['A', 'C'])].title", ["A", "C"]),
        ("$.books[?(@.title nin ['A', 'C'])].title", ["B"]),
        ("$.books[?(@.title != $.owner.name)].price", [8, 12.5, 22]),
        ("$.books[?@.price<10].title", ["A"]),
        ("$.books[?(@.price == true)].title", []),
        ("$.nope[*]", []),
        ("$.nope[1:].title", []),
        ("$.owner.name[*]", []),
        ("$.books[7:]", []),
    ],
)
def test_any_other_path_gives_an_array(source: str, expected: Json) -> None:
    assert not jsonpath.compile(source).definite
    assert found(source) == expected


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("$.nope", "No results for path: $['nope']"),
        ("$.owner.nope", "No results for path: $['owner']['nope']"),
        ("$.nope.deeper", "Missing property in path $['nope']"),
        ("$.books[9]", "No results for path: $['books'][9]"),
        (
            "$.owner.name.first",
            "Expected to find an object with property ['first'] in path $['owner']['name'] but found a string",
        ),
        ("$.owner[0]", "[0] can only be applied to arrays, but $['owner'] is an object"),
    ],
)
def test_a_definite_path_that_leads_nowhere_says_so_as_aws_does(source: str, reason: str) -> None:
    with pytest.raises(PathNotFound) as caught:
        found(source)
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    ("source", "root"),
    [("$", ""), ("$.a", ""), ("$$", "$"), ("$$.Execution.Id", "$"), ("$x", "x"), ("$my_1.a[0]", "my_1")],
)
def test_the_root_says_whose_document_it_is(source: str, root: str) -> None:
    assert jsonpath.compile(source).root == root


def test_a_quoted_name_keeps_a_backslash_before_a_double_quote() -> None:
    assert found("""$['Test\\""Name"']""", {'Test\\""Name"': 1}) == 1


@pytest.mark.parametrize(
    "source",
    [
        "",
        "a",
        "$.",
        "$..",
        "$[",
        "$[]",
        "$['a",
        "$[01]",
        "$[1",
        "$.a b",
        "$.a.length()",
        "$.a[?(@.x ==)]",
        "$.a[?(1)]",
        "$.a[?(@.x[*] == 1)]",
        "$.a[?(@.x in [@.y])]",
        "$.a[?" + "(" * 5000,
        "$.a[?(@.x in " + "[" * 5000,
        "$." + "a" * 10_000,
        "$['\\ud800']",
        "$[99999999999999999999]",
    ],
)
def test_what_is_not_a_path_is_refused_with_its_place(source: str) -> None:
    with pytest.raises(JsonPathError) as caught:
        jsonpath.compile(source)
    assert 0 <= caught.value.position <= len(source)


@given(JSON, NAMES)
def test_a_quoted_name_finds_its_member_whatever_it_is(member: Json, name: str) -> None:
    quoted = name.replace("\\", "\\\\").replace("'", "\\'")

    assert found(f"$['{quoted}']", {name: member}) == member


@given(st.text(alphabet="$.[]*?@()'\"ab01,:-&|=<>! ", max_size=25))
def test_any_text_is_a_path_or_refused(source: str) -> None:
    try:
        path = jsonpath.compile("$" + source)
    except JsonPathError:
        return
    try:
        result = path.evaluate(STORE)
    except PathNotFound:
        return
    assert path.definite or isinstance(result, list)


def test_a_path_that_looks_at_too_much_ends() -> None:
    document: Json = {}
    for _ in range(300):
        document = {"a": document, "b": document}

    with pytest.raises(PathNotFound, match="more than"):
        found("$..*..*..*", document)


def put(source: str, document: Json, value: Json) -> Json:
    return jsonpath.compile(source).reference().put(document, value)


@pytest.mark.parametrize(
    ("source", "document", "expected"),
    [
        ("$", {"a": 1}, "new"),
        ("$.b", {"a": 1}, {"a": 1, "b": "new"}),
        ("$.a", {"a": 1}, {"a": "new"}),
        ("$.a.b", {"a": {"c": 1}}, {"a": {"c": 1, "b": "new"}}),
        ("$.enigma.mystery", {}, {"enigma": {"mystery": "new"}}),
        ("$.a[1]", {"a": [1, 2, 3]}, {"a": [1, "new", 3]}),
        ("$.a[0].b", {"a": [{}]}, {"a": [{"b": "new"}]}),
    ],
)
def test_a_reference_path_puts_a_value(source: str, document: Json, expected: Json) -> None:
    assert put(source, document, "new") == expected


@pytest.mark.parametrize(
    ("source", "document"),
    [("$.a", "text"), ("$.a", [1]), ("$.a", None), ("$.a.b", {"a": 1}), ("$.a[1]", {"a": [1]}), ("$.a[0]", {"a": {}})],
)
def test_a_value_cannot_be_put_into_what_is_no_container(source: str, document: Json) -> None:
    with pytest.raises(PathMismatch, match="Unable to apply"):
        put(source, document, 1)


@pytest.mark.parametrize("source", ["$.a[*]", "$..a", "$.a[1:]", "$.a[0,1]", "$['a','b']", "$.a[?(@.x)]"])
def test_a_reference_path_means_one_place(source: str) -> None:
    with pytest.raises(JsonPathError):
        jsonpath.compile(source).reference()


@given(st.dictionaries(NAMES, JSON), st.lists(st.sampled_from("abc"), min_size=1, max_size=4), JSON)
def test_what_was_put_is_found_and_nothing_else_has_changed(
    document: dict[str, Json], names: list[str], value: Json
) -> None:
    source = "$" + "".join(f".{name}" for name in names)
    before = copy.deepcopy(document)
    try:
        changed = put(source, document, value)
    except PathMismatch:
        assert document == before
        return

    assert found(source, changed) == value
    assert document == before
    assert {name: changed[name] for name in document if name != names[0]} == {
        name: document[name] for name in document if name != names[0]
    }
    assert json.dumps(changed)
