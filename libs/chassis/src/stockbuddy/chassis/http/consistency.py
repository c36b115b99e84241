"""The value of `X-Consistency`: what a read must see, as parts joined by commas. Opaque to clients.

A part is the id of an event, for reads of the log (ADR 17), or `service@position`, for reads of a service's tables from
a read replica (ADR 37). A position is one of PostgreSQL's write-ahead log, in hexadecimal digits.
"""

import re
from collections.abc import Mapping

CONSISTENCY_HEADER = "X-Consistency"
"""On responses to writes; sent with a read, the read sees that write."""

_POSITION = re.compile(r"\s*([a-z]+)@([0-9A-F]{1,16})\s*")


def format_positions(positions: Mapping[str, int]) -> str:
    return ",".join(f"{service}@{position:X}" for service, position in positions.items())


def parse_positions(token: str) -> dict[str, int]:
    """The highest position of each service."""
    positions: dict[str, int] = {}
    for part in token.split(","):
        if found := _POSITION.fullmatch(part):
            service, position = found[1], int(found[2], 16)
            positions[service] = max(position, positions.get(service, 0))
    return positions


def event_ids_in(token: str) -> list[str]:
    """The parts that are no positions: those of a valid token are ids of events."""
    return [part.strip() for part in token.split(",") if part.strip() and not _POSITION.fullmatch(part)]
