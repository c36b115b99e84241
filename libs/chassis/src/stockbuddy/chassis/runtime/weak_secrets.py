"""Recognises secrets that must not protect a production system: from development, well-known, or easily guessed."""

from itertools import pairwise
from urllib.parse import SplitResult, unquote, urlsplit

DEVELOPMENT_SECRET_PREFIX = "development"
MIN_DISTINCT_CHARACTERS = 8
"""32 random hexadecimal digits practically always have more."""
WELL_KNOWN_PASSWORDS = frozenset(
    {
        "admin",
        "changeme",
        "default",
        "guest",
        "minioadmin",
        "password",
        "postgres",
        "rabbitmq",
        "root",
        "secret",
        "test",
    }
)
FROM_DEVELOPMENT = "is a development secret; set a new one"
PLACEHOLDERS = ("change-me", "change_me", "changeme", "placeholder", "your-secret", "your_secret")


def describe_weakness(value: str, *, is_secret: bool) -> str | None:
    """Why `value` must not be used in production, in words that do not reveal it; None if nothing is wrong. Of a value
    that is not marked as a secret only the development prefix counts, and the password if it is a URL."""
    url = _parse_url(value)
    if url is not None:
        return _describe_password(unquote(url.username or ""), unquote(url.password)) if url.password else None
    if value.startswith(f"{DEVELOPMENT_SECRET_PREFIX}-"):
        return FROM_DEVELOPMENT
    return _describe_key(value) if is_secret else None


def _parse_url(value: str) -> SplitResult | None:
    try:
        return urlsplit(value) if "://" in value else None
    except ValueError:
        return None


def _describe_password(user: str, password: str) -> str | None:
    if password.startswith(f"{DEVELOPMENT_SECRET_PREFIX}-"):
        return FROM_DEVELOPMENT
    if password.lower() in WELL_KNOWN_PASSWORDS or password.lower() == user.lower():
        return "has a well-known password; set a new one"
    return None


def _describe_key(key: str) -> str | None:
    lowered = key.lower()
    if lowered in WELL_KNOWN_PASSWORDS or any(placeholder in lowered for placeholder in PLACEHOLDERS):
        return "is a well-known secret or a placeholder; set a random one"
    is_repetition = key in (key + key)[1:-1]
    steps = [abs(ord(second) - ord(first)) for first, second in pairwise(key)]
    is_sequence = sum(step <= 1 for step in steps) * 2 > len(steps)
    if len(set(key)) < MIN_DISTINCT_CHARACTERS or is_repetition or is_sequence:
        return "is easily guessed (few different characters, a repetition or a sequence); set a random one"
    return None
