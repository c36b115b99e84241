"""Query parameters that select events of the log: type patterns and positions."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from stockbuddy.notifications.event_log.cursors import LogPosition
from stockbuddy.notifications.event_log.patterns import parse_patterns


def _parse_lists(lists: tuple[str, ...]) -> tuple[str, ...]:
    """The patterns of all lists; an empty parameter is absent."""
    return parse_patterns(lists) if any(lists) else ()


Patterns = Annotated[tuple[str, ...], AfterValidator(_parse_lists)]
"""Patterns, each parameter with one or, separated by commas, several of them."""
Cursor = Annotated[str, StringConstraints(pattern=r"^[0-9]{0,18}$")] | None
"""A position in the log. An empty one is absent: clients send an empty `Last-Event-ID` before their first event."""


def find_position(*cursors: str | None) -> LogPosition | None:
    """The position of the first cursor that is given."""
    return next((LogPosition.from_cursor(cursor) for cursor in cursors if cursor), None)


class TypesFilter(BaseModel):
    types: Patterns = Field((), description="Patterns such as `stock.*`; repeated or comma-separated.")
