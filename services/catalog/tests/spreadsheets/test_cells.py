"""The text of a spreadsheet's values."""

import pytest

from stockbuddy.catalog.spreadsheets.cells import cell_text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (True, "true"), (7, "7"), (7.0, "7"), (19.9, "19.9"), (1e21, "1" + "0" * 21), (1e-7, "0.0000001")],
)
def test_spreadsheet_value_has_its_csv_text(value: object, text: str) -> None:
    assert cell_text(value) == text
