"""RFC 9535's compliance suite, as far as Step Functions' older dialect (Jayway's) can go with it.

A definite path gives its value here and fails where it leads nowhere; RFC 9535 always gives a list of nodes. So a value
is compared as a list of one, and a failure as an empty list. Every other difference is named below with its reason. The
suite is not part of this repository; it lies beside it, and the tests skip where it does not.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from linkflow.language import jsonpath
from linkflow.language.jsonpath import JsonPathError, PathNotFound
from linkflow.language.jsonpath_select import equal

SUITE = Path(__file__).resolve().parents[3] / "shared/conformance/jsonpath/jsonpath-rfc9535-cts.json"

DIFFERENCES: dict[str, tuple[str, ...]] = {
    "no functions in filters: length, count, match, search and value came with RFC 9535": (
        "filter, equals, special nothing",
        "filter, equals, empty node list and special nothing",
        "functions, count, count function",
        "functions, count, single-node arg",
        "functions, count, multiple-selector arg",
        "functions, length, string data",
        "functions, length, string data, unicode",
        "functions, length, array data",
        "functions, length, missing data",
        "functions, length, number arg",
        "functions, length, true arg",
        "functions, length, false arg",
        "functions, length, null arg",
        "functions, length, arg is a function expression",
        "functions, length, arg is special nothing",
        "functions, match, found match",
        "functions, match, double quotes",
        "functions, match, regex from the document",
        "functions, match, don't select match",
        "functions, match, not a match",
        "functions, match, select non-match",
        "functions, match, non-string first arg",
        "functions, match, non-string second arg",
        "functions, match, filter, match function, unicode char class, uppercase",
        "functions, match, filter, match function, unicode char class negated, uppercase",
        "functions, match, filter, match function, unicode, surrogate pair",
        "functions, match, dot matcher on \\u2028",
        "functions, match, dot matcher on \\u2029",
        "functions, match, arg is a function expression",
        "functions, match, dot in character class",
        "functions, match, escaped dot",
        "functions, match, escaped backslash before dot",
        "functions, match, escaped left square bracket",
        "functions, match, escaped right square bracket",
        "functions, match, explicit caret",
        "functions, match, explicit dollar",
        "functions, search, at the end",
        "functions, search, double quotes",
        "functions, search, at the start",
        "functions, search, in the middle",
        "functions, search, regex from the document",
        "functions, search, don't select match",
        "functions, search, not a match",
        "functions, search, select non-match",
        "functions, search, non-string first arg",
        "functions, search, non-string second arg",
        "functions, search, filter, search function, unicode char class, uppercase",
        "functions, search, filter, search function, unicode char class negated, uppercase",
        "functions, search, filter, search function, unicode, surrogate pair",
        "functions, search, dot matcher on \\u2028",
        "functions, search, dot matcher on \\u2029",
        "functions, search, arg is a function expression",
        "functions, search, dot in character class",
        "functions, search, escaped dot",
        "functions, search, escaped backslash before dot",
        "functions, search, escaped left square bracket",
        "functions, search, escaped right square bracket",
        "functions, value, single-value nodelist",
        "functions, value, multi-value nodelist",
        "whitespace, functions, space between parenthesis and arg",
        "whitespace, functions, newline between parenthesis and arg",
        "whitespace, functions, tab between parenthesis and arg",
        "whitespace, functions, return between parenthesis and arg",
        "whitespace, functions, space between arg and comma",
        "whitespace, functions, newline between arg and comma",
        "whitespace, functions, tab between arg and comma",
        "whitespace, functions, return between arg and comma",
        "whitespace, functions, space between comma and arg",
        "whitespace, functions, newline between comma and arg",
        "whitespace, functions, tab between comma and arg",
        "whitespace, functions, return between comma and arg",
        "whitespace, functions, space between arg and parenthesis",
        "whitespace, functions, newline between arg and parenthesis",
        "whitespace, functions, tab between arg and parenthesis",
        "whitespace, functions, return between arg and parenthesis",
        "whitespace, functions, spaces in a relative singular selector",
        "whitespace, functions, newlines in a relative singular selector",
        "whitespace, functions, tabs in a relative singular selector",
        "whitespace, functions, returns in a relative singular selector",
        "whitespace, functions, spaces in an absolute singular selector",
        "whitespace, functions, newlines in an absolute singular selector",
        "whitespace, functions, tabs in an absolute singular selector",
        "whitespace, functions, returns in an absolute singular selector",
    ),
    "several names at the end of a path give one object of them, as Jayway does": (
        "basic, descendant segment, multiple selectors",
        "basic, descendant segment, object traversal, multiple selectors",
        "filter, followed by child segment that selects multiple elements",
        "whitespace, selectors, space between selector and comma",
        "whitespace, selectors, newline between selector and comma",
        "whitespace, selectors, tab between selector and comma",
        "whitespace, selectors, return between selector and comma",
        "whitespace, selectors, space between comma and selector",
        "whitespace, selectors, newline between comma and selector",
        "whitespace, selectors, tab between comma and selector",
        "whitespace, selectors, return between comma and selector",
    ),
    'an escape that JSON does not know stands for its two characters (recorded on AWS for \\" in single quotes)': (
        "name selector, double quotes, invalid escaped single quote",
        "name selector, double quotes, escape at end of line",
        "name selector, double quotes, question mark escape",
        "name selector, double quotes, bell escape",
        "name selector, double quotes, vertical tab escape",
        "name selector, double quotes, 0 escape",
        "name selector, double quotes, x escape",
        "name selector, double quotes, n escape",
        "name selector, double quotes, unicode escape upper u",
        "name selector, double quotes, unicode escape upper u long",
        "name selector, single quotes, invalid escaped double quote",
    ),
    "no blanks between the steps of a path": (
        "whitespace, selectors, space between root and bracket",
        "whitespace, selectors, newline between root and bracket",
        "whitespace, selectors, tab between root and bracket",
        "whitespace, selectors, return between root and bracket",
        "whitespace, selectors, space between bracket and bracket",
        "whitespace, selectors, newline between bracket and bracket",
        "whitespace, selectors, tab between bracket and bracket",
        "whitespace, selectors, return between bracket and bracket",
        "whitespace, selectors, space between root and dot",
        "whitespace, selectors, newline between root and dot",
        "whitespace, selectors, tab between root and dot",
        "whitespace, selectors, return between root and dot",
    ),
    "a name behind a dot may hold any character but separators ($.delivery-partner)": (
        "basic, name shorthand, symbol",
        "basic, name shorthand, number",
    ),
}
"""Reason → the cases that differ for it."""

PASSED = {
    "basic": 41,
    "filter": 183,
    "index selector": 19,
    "name selector": 122,
    "slice selector": 72,
    "functions": 23,
    "whitespace": 124,
}
"""Cases passed by group. A number may grow, never shrink."""

pytestmark = pytest.mark.skipif(not SUITE.exists(), reason=f"the compliance suite is not at {SUITE}")


def cases() -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = json.loads(SUITE.read_text())
    return loaded


def selected(case: dict[str, Any]) -> list[Any]:
    path = jsonpath.compile(case["selector"])
    try:
        given = path.evaluate(case.get("document"))
    except PathNotFound:
        return []
    return [given] if path.definite else given


def passes(case: dict[str, Any]) -> bool:
    try:
        given = selected(case)
    except JsonPathError:
        return bool(case.get("invalid_selector", False))
    if case.get("invalid_selector"):
        return False
    return any(equal(given, expected) for expected in case.get("results", [case.get("result")]))


def test_every_case_passes_but_those_that_are_known_to_differ() -> None:
    failed = {case["name"] for case in cases() if not passes(case)}

    assert failed == {name for names in DIFFERENCES.values() for name in names}


def test_no_group_passes_less_than_it_did() -> None:
    known = {name for names in DIFFERENCES.values() for name in names}
    passed = Counter(case["name"].split(",")[0] for case in cases() if case["name"] not in known)

    assert dict(passed) == PASSED
