"""Cells of files: no text can act as a formula, and none is changed on the way out and in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockbuddy.catalog.sheets.cells import FORMULA_STARTS, cell_text, guarded, unguarded


@given(st.text() | st.tuples(st.text("'=+-@\t", max_size=3), st.text()).map("".join))
def test_a_guarded_text_comes_back_and_is_no_formula(text: str) -> None:
    assert not guarded(text).startswith(FORMULA_STARTS)
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize("text", ["'tis", "'", "rock 'n' roll", ""])
def test_strangers_texts_are_left_alone(text: str) -> None:
    assert unguarded(text) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (True, "true"), (7, "7"), (7.0, "7"), (19.9, "19.9"), (1e21, "1" + "0" * 21), (1e-7, "0.0000001")],
)
def test_spreadsheet_values_are_spelt_plainly(value: object, text: str) -> None:
    assert cell_text(value) == text
