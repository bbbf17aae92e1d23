"""Signatures: the formula is fixed, and what was signed by somebody else, for another body or moment, is seen."""

import pytest

from linkflow.runtime.signature import SIGNATURE, TIMESTAMP, moment_of, proves, signature, signed

BODY = b'{"a":1}'


def test_the_formula_is_the_documented_one() -> None:
    """What `printf '%s.%s' "$when" "$body" | openssl dgst -sha256 -hmac secret` gives."""
    made = signature("secret", "2026-11-28T00:00:00Z", BODY)
    assert made == "90ef086c598ed08e4e626f97226958436f9b864c7d002c398610baa3f8155ecd"


def test_what_was_signed_is_proved_and_nothing_else() -> None:
    headers = signed("secret", BODY, 1_000.5)
    when, given = headers[TIMESTAMP], headers[SIGNATURE]
    assert moment_of(when) == 1_000.5
    assert proves("secret", when, given, BODY)
    assert proves("secret", when, given.upper(), BODY)
    assert not proves("secret", when, given, b'{"a":2}')
    assert not proves("secret", when.replace("40.5", "41.5"), given, BODY)
    assert not proves("other", when, given, BODY)
    assert not proves("secret", when, "ü" * 64, BODY)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-28T00:00:00", "1764288000"])
def test_a_text_that_is_no_moment_with_a_time_zone_is_none(text: str) -> None:
    assert moment_of(text) is None
