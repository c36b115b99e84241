"""Field types: dates, times and texts that clients send."""

from datetime import UTC, datetime
from typing import Annotated

import pytest
from pydantic import TypeAdapter, ValidationError

from stockbuddy.chassis.fields import UtcTime, text

MOMENT = TypeAdapter[datetime](UtcTime)
NAME = TypeAdapter[str](Annotated[str, text(20)])
NOTE = TypeAdapter[str](Annotated[str, text(20, min_length=0)])


def test_time_with_offset_is_converted_to_utc() -> None:
    assert MOMENT.validate_python("2010-12-01T10:26:00+02:00") == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)


@pytest.mark.parametrize("written", ["2010", "0.5", "-1", "1e9", " 7 ", 2010, 0.5, "2010-12-01T08:26:00", ""])
def test_number_or_time_without_offset_is_rejected(written: object) -> None:
    with pytest.raises(ValidationError):
        MOMENT.validate_python(written)


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("Cafe\u0301", "Café"),
        ("Tea\u00a0Pot\u3000", "Tea Pot"),
        ("👩\u200d👧 ❤\ufe0f 1\ufe0f\u20e3", "👩\u200d👧 ❤\ufe0f 1\ufe0f\u20e3"),
        ("می\u200cرود", "می\u200cرود"),
    ],
)
def test_text_is_normalised(written: str, stored: str) -> None:
    assert NAME.validate_python(written) == stored


@pytest.mark.parametrize(
    "written", ["X\u200b", "X\u200d", "\u200cX", "a\ufe0f", "so\u00adft", "\u202eabc", "\ufeffX", "\u3164"]
)
def test_line_with_invisible_character_is_rejected(written: str) -> None:
    with pytest.raises(ValidationError, match="invisible"):
        NAME.validate_python(written)
    assert NOTE.validate_python(written).strip()


def test_text_is_limited_in_its_normal_form() -> None:
    assert NAME.validate_python("E\u0301" * 20) == "É" * 20
    with pytest.raises(ValidationError, match="20 characters"):
        NAME.validate_python("\u0958" * 20)
