"""The canonical form of a path (RFC 3986 §6.2.2), so that every spelling of a path meets the same route and limits."""

import re
import string

_UNRESERVED = frozenset(string.ascii_letters + string.digits + "-._~")
_PERCENT_ENCODED = re.compile("%([0-9A-Fa-f]{2})")


def canonical_path(path: str) -> str:
    """Decode unreserved characters, write other percent-encodings in upper case, remove dot segments."""
    if "%" in path:
        path = _PERCENT_ENCODED.sub(_normalise, path)
    if "/." in path:
        path = _without_dot_segments(path)
    return path


def _normalise(encoded: re.Match[str]) -> str:
    character = chr(int(encoded[1], 16))
    return character if character in _UNRESERVED else encoded[0].upper()


def _without_dot_segments(path: str) -> str:
    """RFC 3986 §5.2.4."""
    segments = path.split("/")
    kept: list[str] = []
    for segment in segments:
        if segment == "..":
            del kept[max(1, len(kept) - 1) :]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/".join(kept)
