"""Comparison of entity tags (RFC 9110 §8.8.3)."""

import re

_COMPRESSION_SUFFIX = re.compile(r'[-;](?:gzip|br|zstd|df)"$')
"""As nginx, Apache httpd and others write it."""


def matches(header: str, current: str) -> bool:
    """Whether `If-Match` or `If-None-Match` (a list of entity tags) names `current`. A proxy that compresses responses
    may have added a suffix to the tag."""
    tags = [_COMPRESSION_SUFFIX.sub('"', tag.strip().removeprefix("W/")) for tag in header.split(",")]
    return "*" in tags or current.removeprefix("W/") in tags
