"""The recorded cases: loading them, and comparing by the rules of their README.

They lie beside the repository, not in it; without them the suites are skipped.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from linkflow.language.json import Json

ROOT: Final = Path(__file__).parents[3] / "shared" / "conformance"

Case = Mapping[str, Any]

SCORED: Final = frozenset({(), ("lambda",), ("s3",), ("activity",)})
"""What the tasks of a scored execution may need."""

_TRANSPORT: Final = ("SdkHttpMetadata", "SdkResponseMetadata")


@cache
def load() -> tuple[Case, ...]:
    return tuple(json.loads(path.read_text()) for path in sorted((ROOT / "asl").glob("*/*.json")))


def of_kind(kind: str) -> Iterator[Case]:
    return (case for case in load() if case["kind"] == kind)


def out_of_scope(case: Case) -> str | None:
    """Why an execution is not scored; None when it is."""
    if case.get("unscored"):
        return f"unfaithful recording ({case['unscored']})"
    if tuple(case["requires"]) not in SCORED:
        return f"needs {', '.join(case['requires'])}"
    if "mock_config" in case:
        return "recorded under a mock configuration"
    return None


@dataclass(frozen=True)
class Outcome:
    """How an execution ended. `events` are the types of its history in order, `states` the names entered."""

    status: str
    output: Json = None
    error: str | None = None
    cause: str | None = None
    events: Sequence[str] = ()
    states: Sequence[str] = ()
    history: Sequence[Any] = field(default=(), repr=False)


def same(expected: Json, actual: Json, patterns: Mapping[str, str], pointer: str = "") -> bool:
    """JSON equality, with patterns where values differ from run to run."""
    if pointer in patterns:
        text = actual if isinstance(actual, str) else json.dumps(actual)
        return re.fullmatch(patterns[pointer], text) is not None
    expected, actual = _both_parsed(expected, actual)
    if isinstance(expected, dict) and isinstance(actual, dict):
        keys = [key for key in expected if key not in _TRANSPORT]
        return keys_of(expected) == keys_of(actual) and all(
            same(expected[key], actual[key], patterns, f"{pointer}/{_escaped(key)}") for key in keys
        )
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(
            same(one, other, patterns, f"{pointer}/{at}")
            for at, (one, other) in enumerate(zip(expected, actual, strict=True))
        )
    return isinstance(expected, bool) == isinstance(actual, bool) and bool(expected == actual)


def keys_of(value: Mapping[str, Json]) -> set[str]:
    return {key for key in value if key not in _TRANSPORT}


def _both_parsed(expected: Json, actual: Json) -> tuple[Json, Json]:
    """Texts that are JSON objects are compared as such."""
    if isinstance(actual, str) and actual.startswith("{"):
        if isinstance(expected, dict):
            return expected, _parsed(actual)
        if isinstance(expected, str) and expected.startswith("{"):
            return _parsed(expected), _parsed(actual)
    return expected, actual


def _parsed(text: str) -> Json:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def right_outcome(case: Case, outcome: Outcome) -> bool:
    expected, patterns = case["expected"], case.get("patterns", {})
    if expected["status"] != outcome.status:
        return False
    if outcome.status == "SUCCEEDED":
        return same(expected.get("output"), outcome.output, patterns, "/output")
    return same(expected.get("error"), outcome.error, patterns, "/error")


def right_cause(case: Case, outcome: Outcome) -> bool | None:
    """None where no cause is recorded."""
    expected = case["expected"]
    if expected.get("cause") is None:
        return None
    return same(expected["cause"], outcome.cause, case.get("patterns", {}), "/cause")


def right_events(case: Case, outcome: Outcome) -> bool | None:
    """The types of the history's events, in order or as a multiset; None where none are recorded."""
    expected = case["expected"]
    if "events" not in expected:
        return None
    return _alike(expected, expected["events"], outcome.events) and _alike(expected, expected["states"], outcome.states)


def _alike(expected: Mapping[str, Any], recorded: Sequence[str], ours: Sequence[str]) -> bool:
    if expected["events_order"] == "strict":
        return list(recorded) == list(ours)
    lossy = set(expected.get("events_lossy") or ())
    return Counter(one for one in recorded if one not in lossy) == Counter(one for one in ours if one not in lossy)
