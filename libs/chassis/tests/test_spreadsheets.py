"""Cells of spreadsheets: no text can act as a formula, and a round trip changes nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockbuddy.chassis.spreadsheets import escape_formula, unescape_formula

FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - Excel accepts them, too


@given(st.text() | st.tuples(st.text("'=+-@\t", max_size=3), st.text()).map("".join))
def test_escaped_text_is_no_formula_and_is_restored(text: str) -> None:
    assert not escape_formula(text).startswith(FORMULA_PREFIXES)
    assert unescape_formula(escape_formula(text)) == text


def test_apostrophe_before_a_digit_is_removed() -> None:
    assert unescape_formula("'4006381333931") == "4006381333931"


@pytest.mark.parametrize("text", ["'tis", "'", "rock 'n' roll", ""])
def test_unescaped_text_with_an_apostrophe_is_unchanged(text: str) -> None:
    assert unescape_formula(text) == text
