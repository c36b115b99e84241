"""Patterns of event types as clients write them: `*` stands for any characters, `stock.*` for all that stock says."""

import re
from collections.abc import Sequence
from functools import lru_cache

PATTERN = r"[a-z0-9_.*]{1,100}"
"""What a pattern may consist of."""

ANY_TYPE = ("*",)


@lru_cache(maxsize=1024)
def expression_of(patterns: tuple[str, ...]) -> str:
    """One regular expression, read alike by Python and PostgreSQL, that matches what any of the patterns does."""
    alternatives = (".*".join(re.escape(part) for part in pattern.split("*")) for pattern in patterns)
    return "^(" + "|".join(alternatives) + ")$"


@lru_cache(maxsize=4096)
def _matches(patterns: tuple[str, ...], event_type: str) -> bool:
    return re.fullmatch(expression_of(patterns), event_type) is not None


def matches_any(patterns: Sequence[str], event_type: str) -> bool:
    return _matches(tuple(patterns), event_type)
