"""Patterns of event types as clients write them: `*` matches any characters, `stock.*` every event of stock."""

import re
from collections.abc import Sequence
from functools import lru_cache

PATTERN = r"[a-z0-9_.*]{1,100}"
"""Regular expression of a valid pattern."""

ANY_TYPE = ("*",)


@lru_cache(maxsize=1024)
def to_expression(patterns: tuple[str, ...]) -> str:
    """A regular expression, valid in Python and PostgreSQL, that matches what any of the patterns matches."""
    alternatives = (".*".join(re.escape(part) for part in pattern.split("*")) for pattern in patterns)
    return "^(" + "|".join(alternatives) + ")$"


@lru_cache(maxsize=4096)
def _matches(patterns: tuple[str, ...], event_type: str) -> bool:
    return re.fullmatch(to_expression(patterns), event_type) is not None


def matches_any(patterns: Sequence[str], event_type: str) -> bool:
    return _matches(tuple(patterns), event_type)
