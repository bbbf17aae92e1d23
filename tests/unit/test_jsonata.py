"""JSONata as the core uses it: what it gives, what it never does, and that nothing a user writes can hurt us."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkflow.language import jsonata
from linkflow.language.json import Json
from linkflow.language.jsonata import UNDEFINED, JsonataError

NOW = 1_700_000_000.123
STATES = {"input": {"order": {"id": 7}, "items": [{"price": 1, "n": "a"}, {"price": 5, "n": "b"}]}, "context": {}}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def value(source: str, seed: int = 1, **variables: Json) -> Json:
    return jsonata.compile(source).evaluate(None, {"states": STATES} | variables, NOW, seed)


def failure(source: str, **variables: Json) -> JsonataError:
    with pytest.raises(JsonataError) as caught:
        value(source, **variables)
    return caught.value


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("$states.input.order.id", 7),
        ("$states.input.items.price", [1, 5]),
        ("$states.input.items[price>3].n", "b"),
        ("$sum($states.input.items.price) / 4", 1.5),
        ("{'total': 2.0, 'half': 0.5}", {"total": 2, "half": 0.5}),
        ("$fromMillis(0)", "1970-01-01T00:00:00.000Z"),
        ("$now()", "2023-11-14T22:13:20.123Z"),
        ("$millis()", 1_700_000_000_123),
        ("[function($x){$x}]", [""]),
    ],
)
def test_an_expression_gives_a_value(source: str, expected: Json) -> None:
    assert value(source) == expected


@pytest.mark.parametrize("source", ["$nope", "$states.input.nope", "$states.nope.deeper[0]", "()"])
def test_what_selects_nothing_is_undefined_which_is_not_null(source: str) -> None:
    assert value(source) is UNDEFINED


def test_null_is_a_value() -> None:
    assert value("$x", x=None) is None


def test_whole_results_are_integers() -> None:
    assert [type(number) for number in value("[1.0, 4/2, 1.5]")] == [int, int, float]


def test_a_lambdas_last_call_keeps_its_sequence() -> None:
    source = "$map([0..2], function($i){ $filter($a, function($v,$k){ $k=$i }) })"

    assert value(source, a=[7, 8, 9]) == [[7], [8], [9]]


def test_the_caller_of_a_lambda_unwraps_its_sequence() -> None:
    assert value("($f := function($x){ $filter([7,8], function($v){ $v=$x }) }; [$f(7), $f(8)])") == [7, 8]


def test_a_variable_may_bear_the_name_of_a_function() -> None:
    assert value("$count + $sum + $count($values)", count=3, sum=4, values=[1, 2]) == 9


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("$partition([0,1,2], 2)", [[0, 1], [2]]),
        ("$partition([0], 3)", [[0]]),
        ("$range(0, 10, 3)", [0, 3, 6, 9]),
        ("$range(9, 1, -4)", [9, 5, 1]),
        ("$range(1, 9, 9)", 1),
        ("$hash('input data', 'MD5')", "812f45842bc6d66ee14572ce20db8e86"),
        ("$parse('{\"a\": [1.5, null]}')", {"a": [1.5, None]}),
        ("[1,2] ~> $map($hash(?, 'SHA-1')) ~> $count", 2),
    ],
)
def test_the_functions_that_step_functions_adds(source: str, expected: Json) -> None:
    assert value(source) == expected


@pytest.mark.parametrize("source", ["$eval('1')", "$values({})", "$flatten([])", "$randomSeeded(1)", "$nope()"])
def test_calling_what_step_functions_has_not_is_what_aws_prints(source: str) -> None:
    assert str(failure(source)) == "T1006: Attempted to invoke a non-function"


@pytest.mark.parametrize("source", ["$a ?: 1", "$a ?? 1"])
def test_operators_of_later_versions_are_refused(source: str) -> None:
    assert failure(source).code == "S0211"


def test_an_error_of_syntax_says_where() -> None:
    error = failure("$a + ")

    assert (error.code, error.position) == ("S0207", 5)


@given(st.integers())
def test_the_same_seed_gives_the_same_values(seed: int) -> None:
    source = "[$uuid(), $uuid(), $random(), $random(), $shuffle([1..9])]"

    assert value(source, seed) == value(source, seed)


@given(st.integers())
def test_drawn_values_differ_within_an_evaluation_and_between_seeds(seed: int) -> None:
    drawn = value("[$uuid(), $uuid()]", seed) + value("[$uuid(), $uuid()]", seed + 1)

    assert len(set(drawn)) == 4


def test_a_seed_in_the_expression_decides_alone() -> None:
    assert value("$random(3)", seed=1) == value("$random(3)", seed=2) != value("$random(4)", seed=1)


def test_only_what_draws_is_seeded() -> None:
    drawing = [jsonata.compile(source).seeded for source in ("$uuid()", "$map($a, $random)", "$shuffle($a)", "$now()")]

    assert drawing == [True, True, True, False]


@pytest.mark.parametrize(
    ("source", "references", "fields"),
    [
        ("$states.input.a + $x", {"states", "x"}, {"input"}),
        ("$states.context.State & $states.errorOutput", {"states"}, {"context", "errorOutput"}),
        ("$string($states)", {"states"}, {"*"}),
        ("($x := 1; $x + $y)", {"y"}, set()),
        ("function($a){ $a + $b }(1)", {"b"}, set()),
        ("$map($items, function($v, $i){ $v.x * $i * $rate })", {"items", "rate"}, set()),
        ("$states.input.items@$e.{'x': $e}", {"states"}, {"input"}),
        ("$ ~> |a|{'b': $c}|", {"c"}, set()),
        ("$f(1)", {"f"}, set()),
        ("$count($a)", {"a"}, set()),
    ],
)
def test_references_are_the_names_that_nothing_inside_binds(
    source: str, references: set[str], fields: set[str]
) -> None:
    expression = jsonata.compile(source)

    assert (set(expression.references), set(expression.state_fields)) == (references, fields)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"])))
def test_no_text_is_more_than_text(text: str) -> None:
    assert value(json.dumps(text)) == text


@given(st.text(st.characters(codec="utf-8", exclude_characters="`", exclude_categories=["Cs"]), min_size=1))
def test_no_field_name_is_more_than_a_name(name: str) -> None:
    assert value(f"$object.`{name}`", object={name: 1}) == 1


@given(st.text(st.characters(categories=["L", "N"]), min_size=1))
def test_no_variable_name_is_more_than_a_name(name: str) -> None:
    assert value(f"($v{name} := 5; $w{name} := 6; [$v{name}, $w{name}])") == [5, 6]


@given(st.text(alphabet="$.()[]{}'\"`+-*/%&|=<>~^@#?:;,_ \\abfx01\n", max_size=30))
def test_any_source_gives_a_value_or_an_error_of_its_own(source: str) -> None:
    try:
        result = value(source, a=[1, 2], b={"f": 1})
    except JsonataError:
        return
    assert result is UNDEFINED or json.dumps(result, allow_nan=False)


@given(JSON)
def test_json_passes_through_unchanged(document: Json) -> None:
    assert value("$x", x=document) == document
    assert value("{'kept': $x}", x=document)["kept"] == document


DOUBLING = "($f := function($v, $n){ $n = 0 ? $v : $f(%s, $n - 1) }; %s)"
HOSTILE = {
    "endless recursion": "($f := function($x){ 1 + $f($x) }; $f(0))",
    "endless tail recursion": "($f := function($x){ $f($x) }; $f(0))",
    "a function of itself": "(function($f){ $f($f) })(function($f){ $f($f) })",
    "a long range": "[1..1e9]",
    "a long literal range": "[1..999999999999, 1]",
    "a product of ranges": "[1..1000].[1..1000].[1..1000]",
    "a doubling text": DOUBLING % ("$v & $v", "$f('aaaaaaaa', 60)"),
    "a doubling array": DOUBLING % ("[$v, $v]", "$f([1], 60)"),
    "a doubling object": DOUBLING % ("{'a': $v, 'b': $v}", "$f({}, 60)"),
    "a doubling object as text": DOUBLING % ("{'a': $v, 'b': $v}", "$length($string($f({}, 60)))"),
    "a doubling object compared": DOUBLING % ("{'a': $v, 'b': $v}", "$f({}, 60) = $f({}, 60)"),
    "a doubling object's descendants": DOUBLING % ("{'a': $v, 'b': $v}", "$count($f({}, 60).**)"),
    "the truth of nested arrays": DOUBLING % ("[[$v], [$v]]", "$filter([1], function($v){ $f(0, 60) })"),
    "an expensive pattern": "$match('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac!b', /^(a|aa)+cb$/)",
    "a large pattern": "$contains('x', /((a{1000}){1000}){1000}/)",
    "a wide padding": "$pad('x', 1e9)",
    "a long replacement": "$replace($pad('', 1000000, 'a'), 'a', $pad('', 1000000, 'b'))",
    "a quadratic path": "$big.($count($big.x))",
    "a quadratic group": "$big{id: $big{nothing: 1}}",
    "quadratic sums": "$map($big, function($b){ ($s := $sum($big.x); $m := $max($big.x); $s + $m) })",
    "a slow comparator": "$sort($big, function($a, $b){ $count($big.x) > 0 })",
    "parentheses": "(" * 5000 + "1" + ")" * 5000,
    "brackets": "[" * 2000 + "]" * 2000,
    "a long sum": "1" + "+1" * 10_000,
    "a long path": "a" + ".a" * 8000,
    "nested computed functions": "$map(a, " * 25 + "$f" + ")" * 25,
    "bindings in a row": "a@$b@$c@$d@$e",
    "a long source": "'" + "a" * 100_000 + "'",
    "deep nesting": "$reduce([1..300], function($v){ [[$v]] }, [])",
    "a deep result": "$reduce([1..300], function($v, $i){ {'v': $v} }, [])",
    "an infinite number": "[1/0]",
    "not a number": "$number('NaN')",
    "an infinity in parsed text": "$parse('[1e999]')",
    "a large exponent": "$power(10, 400)",
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_expression_ends_in_an_error(source: str) -> None:
    big = [{"id": str(number), "x": number} for number in range(20_000)]

    assert failure(source, big=big).code


def test_results_hold_no_part_of_the_library() -> None:
    result = value("$map([1,2], function($i){ $filter([1,2], function($v){ $v = $i }) })")

    assert type(result) is list
    assert [type(member) for member in result] == [list, list]


def test_data_handed_in_is_not_changed() -> None:
    document = {"a": {"b": 1}, "list": [3, 1, 2]}
    before = json.dumps(document)

    value("($x ~> |a|{'b': 2}|; $sort($x.list); $append($x.list, 4); $shuffle($x.list))", x=document)

    assert json.dumps(document) == before


class Evaluating(Mapping[str, Json]):
    """Bindings that evaluate another expression when they are asked."""

    def __getitem__(self, name: str) -> Json:
        return jsonata.compile("$sum([1..10]) + $millis()").evaluate(None, {}, 0.0, 0)

    def __iter__(self) -> Iterator[str]:
        return iter(["x"])

    def __len__(self) -> int:
        return 1


def test_an_evaluation_may_happen_within_another() -> None:
    assert jsonata.compile("[$x + 0, $millis(), $x + 0]").evaluate(None, Evaluating(), 1.0, 0) == [55, 1000, 55]


def test_threads_that_share_a_context_do_not_meet() -> None:
    expression = jsonata.compile("($f := function($n){ $n = 0 ? $x : 0 + $f($n - 1) }; [$f(50), $millis()])")
    expression.evaluate(None, {"x": 0}, 0.0, 0)

    def evaluate(number: int) -> Any:
        return copy_context().run(expression.evaluate, None, {"x": number}, float(number), 0)

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(evaluate, range(200)))

    assert results == [[number, number * 1000] for number in range(200)]
