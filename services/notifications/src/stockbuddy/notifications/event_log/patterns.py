"""Patterns of event types as clients write them: `*` matches any characters, `stock.*` every event of stock."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

MAX_PATTERNS = 32
MAX_WILDCARDS = 4
ANY_TYPE = ("*",)

_PATTERN = re.compile(r"[a-z0-9_.*]{1,100}")


def parse_patterns(texts: Iterable[str]) -> tuple[str, ...]:
    """The patterns in `texts`, each of which has one or, separated by commas, several. Every pattern of a client passes
    through here: of the feed, the streams, webhooks and the audit trail. Raises ValueError."""
    patterns = tuple(dict.fromkeys(pattern.strip() for text in texts for pattern in text.split(",")))
    if len(patterns) > MAX_PATTERNS:
        raise ValueError(f"must have at most {MAX_PATTERNS} patterns")
    for pattern in patterns:
        if not _PATTERN.fullmatch(pattern):
            raise ValueError("a pattern has 1 to 100 characters: a-z, 0-9, underscore, dot and *")
        if pattern.count("*") > MAX_WILDCARDS:
            raise ValueError(f"a pattern has at most {MAX_WILDCARDS} wildcards")
    return patterns


def matches(pattern: str, event_type: str) -> bool:
    """In linear time: the leftmost match of each part leaves the most room for the next, so it never backtracks."""
    head, *rest = pattern.split("*")
    if not rest:
        return pattern == event_type
    *middle, tail = rest
    position, end = len(head), len(event_type) - len(tail)
    if position > end or not (event_type.startswith(head) and event_type.endswith(tail)):
        return False
    for part in middle:
        found = event_type.find(part, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return True


@lru_cache(maxsize=4096)
def _matches_any(patterns: tuple[str, ...], event_type: str) -> bool:
    return any(matches(pattern, event_type) for pattern in patterns)


def matches_any(patterns: Sequence[str], event_type: str) -> bool:
    return _matches_any(tuple(patterns), event_type)


@lru_cache(maxsize=1024)
def to_expression(patterns: tuple[str, ...]) -> str:
    """A regular expression of PostgreSQL that matches what any of the patterns matches. Its engine does not backtrack
    without back references."""
    alternatives = (".*".join(re.escape(part) for part in pattern.split("*")) for pattern in patterns)
    return "^(" + "|".join(alternatives) + ")$"
