"""What readers of the log ask for, as query parameters: types by pattern, and where to begin."""

from typing import Annotated

from fastapi import Depends, Query
from pydantic import StringConstraints

from stockbuddy.notifications.event_log.patterns import ANY_TYPE, PATTERN

Patterns = Annotated[str, StringConstraints(pattern=rf"^\s*{PATTERN}(\s*,\s*{PATTERN})*\s*$", max_length=2000)]
Cursor = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,18}$")]


def requested_types(
    types: Annotated[
        tuple[Patterns, ...], Query(description="Patterns such as `stock.*`; repeated or by commas.")
    ] = (),
) -> tuple[str, ...]:
    """The patterns asked for; none means all."""
    return tuple(sorted({pattern.strip() for part in types for pattern in part.split(",")})) or ANY_TYPE


RequestedTypes = Annotated[tuple[str, ...], Depends(requested_types)]
