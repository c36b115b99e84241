"""Cells of spreadsheets: no text can act as a formula, and a round trip changes nothing."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockbuddy.chassis.spreadsheets import (
    escape_csv_text,
    escape_formula,
    unescape_csv_text,
    unescape_formula,
)

FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - Excel accepts them, too


@given(st.text() | st.tuples(st.text("'=+-@\t", max_size=3), st.text()).map("".join))
def test_escaped_text_is_no_formula_and_is_restored(text: str) -> None:
    assert not escape_formula(text).startswith(FORMULA_PREFIXES)
    assert unescape_formula(escape_formula(text)) == text


_TRICKY = st.lists(st.sampled_from([*FORMULA_PREFIXES, "'", '"', ";", ",", "a", " ", "1"]), max_size=12).map("".join)


@given(st.text() | _TRICKY)
def test_text_in_csv_is_no_formula_for_any_separator_and_is_restored(text: str) -> None:
    written = io.StringIO()
    csv.writer(written).writerow(["1", escape_csv_text(text), "2"])
    [row] = csv.reader(io.StringIO(written.getvalue(), newline=""))
    assert unescape_formula(unescape_csv_text(row[1])) == text
    for line in written.getvalue().splitlines():
        for separator in (";", "\t"):
            for cell in line.split(separator):
                assert not cell.strip('"').startswith(FORMULA_PREFIXES)
                assert not cell.startswith(FORMULA_PREFIXES)


def test_apostrophe_before_a_digit_is_removed() -> None:
    assert unescape_formula("'4006381333931") == "4006381333931"


@pytest.mark.parametrize("text", ["'tis", "'", "rock 'n' roll", ""])
def test_unescaped_text_with_an_apostrophe_is_unchanged(text: str) -> None:
    assert unescape_formula(text) == text
