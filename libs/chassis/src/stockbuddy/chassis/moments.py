"""Dates and times as the API takes them (RFC 3339): `2010` is refused, where pydantic would read it as seconds."""

from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator


def _refuse_number(value: Any) -> Any:
    """Raises ValueError for anything that pydantic would count from 1970."""
    if isinstance(value, str | int | float) and _is_number(value):
        raise ValueError("is a number; write a date as in RFC 3339")
    return value


def _is_number(value: str | float) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


WRITTEN_OUT = BeforeValidator(_refuse_number)
"""For the types `date` and `datetime` in what clients send."""

Moment = Annotated[AwareDatetime, WRITTEN_OUT]
