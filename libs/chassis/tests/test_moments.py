"""Which dates and times are taken from clients."""

from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from stockbuddy.chassis.fields import Moment

MOMENT = TypeAdapter[datetime](Moment)


def test_a_date_and_time_with_offset_is_taken() -> None:
    assert MOMENT.validate_python("2010-12-01T10:26:00+02:00") == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)


@pytest.mark.parametrize("written", ["2010", "0.5", "-1", "1e9", " 7 ", 2010, 0.5, "2010-12-01T08:26:00", ""])
def test_a_number_or_a_time_of_nowhere_is_refused(written: object) -> None:
    with pytest.raises(ValidationError):
        MOMENT.validate_python(written)
