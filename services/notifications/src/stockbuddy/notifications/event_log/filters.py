"""Query parameters that select events of the log: type patterns and positions."""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from stockbuddy.notifications.event_log.patterns import PATTERN

PatternList = Annotated[str, StringConstraints(pattern=rf"^\s*{PATTERN}(\s*,\s*{PATTERN})*\s*$", max_length=2000)]
"""Patterns separated by commas."""
Cursor = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,18}$")]
"""A position in the log."""


def split_patterns(*lists: str) -> tuple[str, ...]:
    return tuple(sorted({pattern.strip() for patterns in lists for pattern in patterns.split(",")}))


class TypesFilter(BaseModel):
    types: tuple[PatternList, ...] = Field((), description="Patterns such as `stock.*`; repeated or comma-separated.")

    @property
    def patterns(self) -> tuple[str, ...]:
        """The requested patterns; empty without any."""
        return split_patterns(*self.types)
