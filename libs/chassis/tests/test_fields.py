"""Field types: dates and times that clients send."""

from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from stockbuddy.chassis.fields import UtcTime

MOMENT = TypeAdapter[datetime](UtcTime)


def test_time_with_offset_is_converted_to_utc() -> None:
    assert MOMENT.validate_python("2010-12-01T10:26:00+02:00") == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)


@pytest.mark.parametrize("written", ["2010", "0.5", "-1", "1e9", " 7 ", 2010, 0.5, "2010-12-01T08:26:00", ""])
def test_number_or_time_without_offset_is_rejected(written: object) -> None:
    with pytest.raises(ValidationError):
        MOMENT.validate_python(written)
