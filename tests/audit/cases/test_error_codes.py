"""Codes of failures in words."""

import pytest

from audit.cases.error_codes import in_words


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("42P01", "undefined table (42P01)"),
        ("42P99", "syntax error or access rule violation (42P99)"),
        ("ZZ999", "ZZ999"),
        ("42", "42"),
        ("", ""),
    ],
)
def test_code_is_named_or_stays_as_it_is(code: str, words: str) -> None:
    assert in_words(code) == words
