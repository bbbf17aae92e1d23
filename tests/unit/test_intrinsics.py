"""Intrinsic functions: results as AWS recorded them, texts as the JVM makes them, randomness that a replay repeats."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkflow.language import intrinsics
from linkflow.language.intrinsics import IntrinsicError, IntrinsicFailed
from linkflow.language.json import Json
from linkflow.language.json_text import compact, double, parsed
from linkflow.language.jsonpath import JsonPath, PathNotFound

INPUT = {
    "name": "Ada",
    "object": {"Arg1": 1, "Arg2": []},
    "nested": {"a": [None, True, 1.5, "é"], "b": {"c": "d"}},
    "list": [1, 2, 3],
    "mixed": [1, 1.0, True, "1", {"a": 1, "b": 2}, {"b": 2, "a": 1}, 1],
    "template": "a {} \\{\\}",
}
CONTEXT = {"Execution": {"Name": "exec-1"}}
VARIABLES: dict[str, Json] = {"count": 4}


def resolve(path: JsonPath) -> Json:
    return path.evaluate({"": INPUT, "$": CONTEXT}.get(path.root, VARIABLES.get(path.root)))


def result(source: str, seed: int = 1) -> Any:
    return intrinsics.compile(source).evaluate(resolve, seed)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("States.Format('Hello, {}', $.name)", "Hello, Ada"),
        ("States.Format('{} and {}', $.object, null)", "{Arg1=1, Arg2=[]} and null"),
        ("States.Format('{}', $.nested)", "{a=[null, true, 1.5, é], b={c=d}}"),
        ("States.Format('{}/{}', $$.Execution.Name, $count)", "exec-1/4"),
        (r"States.Format('it\'s \{{}\} \\', 1)", "it's {1} \\"),
        ("States.Format($.template, 1.5)", "a 1.5 {}"),
        ("States.Format('nothing')", "nothing"),
        ("States.StringToJson('')", None),
        ("States.StringToJson(' ')", None),
        ("States.StringToJson('-0')", 0),
        ("""States.StringToJson('[1, 2, "x"]')""", [1, 2, "x"]),
        (r"States.StringToJson('\{\}')", {}),
        ("States.JsonToString($.nested)", '{"a":[null,true,1.5,"é"],"b":{"c":"d"}}'),
        ("States.Array()", []),
        ("States.Array($.name, 1, -1.5, true, null, 'x', $.list)", ["Ada", 1, -1.5, True, None, "x", [1, 2, 3]]),
        ("States.ArrayPartition($.list, 2)", [[1, 2], [3]]),
        ("States.ArrayPartition(States.Array(), 2)", []),
        ("States.ArrayContains($.list, 3.0)", True),
        ("States.ArrayContains($.list, true)", False),
        ("States.ArrayRange(0, 10, 3)", [0, 3, 6, 9]),
        ("States.ArrayRange(3, 1, -1)", [3, 2, 1]),
        ("States.ArrayGetItem($.list, 2)", 3),
        ("States.ArrayLength($.list)", 3),
        ("States.ArrayUnique($.mixed)", [1, True, "1", {"a": 1, "b": 2}]),
        ("States.Base64Encode('Data to encode')", "RGF0YSB0byBlbmNvZGU="),
        ("States.Base64Decode('RGF0YSB0byBlbmNvZGU=')", "Data to encode"),
        ("States.Hash('input data', 'MD5')", "812f45842bc6d66ee14572ce20db8e86"),
        ("States.JsonMerge($.object, $.nested.b, false)", {"Arg1": 1, "Arg2": [], "c": "d"}),
        ("States.MathAdd(-1.5, -1.51)", -3),
        ("States.MathAdd(-0.5, 0.5)", 1),
        ("States.MathAdd(1.5, 0)", 2),
        ("States.StringSplit('This.is+a,test=string', '.+,=')", ["This", "is", "a", "test", "string"]),
        ("States.StringSplit(',,,,', ',')", []),
        ("States.ArrayGetItem(States.StringSplit('a-b', '-'), States.MathAdd(States.ArrayLength($.list), -2))", "b"),
    ],
)
def test_a_call_gives_a_value(source: str, expected: Json) -> None:
    given_value = result(source)

    assert given_value == expected
    assert type(given_value) is type(expected)


@pytest.mark.parametrize(
    "source",
    [
        "States.Format('{} {}', 1)",
        "States.Format('{}', 1, 2)",
        "States.Format(1)",
        "States.StringToJson('{')",
        "States.StringToJson('NaN')",
        "States.StringToJson(1)",
        "States.ArrayPartition($.list, 0)",
        "States.ArrayPartition('x', 1)",
        "States.ArrayRange(0, 1, 0)",
        "States.ArrayRange(0, 1000, 1)",
        "States.ArrayGetItem($.list, 3)",
        "States.ArrayGetItem($.list, true)",
        "States.ArrayLength('x')",
        "States.Base64Decode('é')",
        "States.Hash('x', 'MD6')",
        "States.JsonMerge($.object, $.object, true)",
        "States.JsonMerge(1, $.object, false)",
        "States.MathRandom(2, 2)",
        "States.MathAdd('1', 2)",
        "States.StringSplit(1, ',')",
        "States.Array(States.MathAdd('1', 2))",
    ],
)
def test_a_call_that_cannot_be_applied_is_an_intrinsic_failure(source: str) -> None:
    with pytest.raises(IntrinsicFailed) as caught:
        result(source)
    assert caught.value.error == "States.IntrinsicFailure"
    assert caught.value.cause.startswith("The function 'States.")


def test_a_failure_names_the_call_that_failed() -> None:
    with pytest.raises(IntrinsicFailed) as caught:
        result("States.Array(1, States.ArrayGetItem($.list, 9))")
    assert caught.value.cause == (
        "The function 'States.ArrayGetItem($.list, 9)' had the following error: "
        "Index 9 is outside of the array, which has 3 elements"
    )


def test_a_path_that_leads_nowhere_is_the_callers_to_explain() -> None:
    with pytest.raises(PathNotFound):
        result("States.Array($.nope)")


@pytest.mark.parametrize(
    "source",
    [
        "",
        "States.",
        "States.Nope()",
        "States.Array(",
        "States.Array(1",
        "States.Array(1,)",
        "States.Array(1) x",
        "States.Array('a)",
        "States.Array(a)",
        "States.Array($.)",
        "States.ArrayLength()",
        "States.UUID(1)",
        "States.Format()",
        "States.Array(States.Array)",
        r"""States.StringToJson('{"text":"An \"escaped double quote\" here"}')""",
        "States.Array(" * 5000,
    ],
)
def test_what_is_not_a_call_is_refused_with_its_place(source: str) -> None:
    with pytest.raises(IntrinsicError) as caught:
        intrinsics.compile(source)
    assert 0 <= caught.value.position <= len(source)


def test_a_call_lists_the_paths_it_reads() -> None:
    call = intrinsics.compile("States.Array($.a['b, )'], States.Format('{}', $v.c), $$.Execution.Id)")

    assert [(path.root, path.source) for path in call.paths] == [
        ("", "$.a['b, )']"),
        ("v", "$v.c"),
        ("$", "$$.Execution.Id"),
    ]


@given(st.integers())
def test_the_same_seed_gives_the_same_values(seed: int) -> None:
    source = "States.Array(States.UUID(), States.UUID(), States.MathRandom(0, 1000000))"

    assert result(source, seed) == result(source, seed)
    assert len(set(result(source, seed)[:2] + result(source, seed + 1)[:2])) == 4


@given(st.integers(), st.integers(-1000, 1000), st.integers(1, 1000))
def test_a_random_number_is_within_its_bounds(seed: int, first: int, width: int) -> None:
    assert first <= result(f"States.MathRandom({first}, {first + width})", seed) < first + width


def test_only_what_draws_is_seeded() -> None:
    sources = ("States.UUID()", "States.Array(States.MathRandom(1, 2))", "States.Array()")

    assert [intrinsics.compile(source).seeded for source in sources] == [True, True, False]


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"])))
def test_any_text_can_be_written_as_a_literal(text: str) -> None:
    literal = text.replace("\\", "\\\\").replace("'", "\\'").replace("{", "\\{").replace("}", "\\}")

    assert result(f"States.Array('{literal}')") == [text]
    assert result(f"States.Format('{literal}')") == text


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_json_survives_its_text(value: Json) -> None:
    assert parsed(compact(value)) == value
    assert json.loads(compact(value)) == value


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1.0, "1.0"),
        (1.1, "1.1"),
        (-0.001, "-0.001"),
        (9999999.5, "9999999.5"),
        (1e7, "1.0E7"),
        (1.5e10, "1.5E10"),
        (1e-5, "1.0E-5"),
        (-1.25e-300, "-1.25E-300"),
        (123456789.125, "1.23456789125E8"),
    ],
)
def test_numbers_print_as_java_prints_them(number: float, text: str) -> None:
    assert double(number) == text
