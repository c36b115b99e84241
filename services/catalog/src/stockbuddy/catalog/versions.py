"""Entity tags of responses that show more than their version covers: `"7-…"`, the version and a digest of the body.

A product's response includes its stock. Changed stock changes the tag (no 304), but `If-Match` compares versions only,
so that it does not reject an edit.
"""

import hashlib

from stockbuddy.chassis.http.errors import PreconditionFailed


def content_etag(version: int, body: bytes) -> str:
    return f'"{version}-{hashlib.blake2b(body, digest_size=8).hexdigest()}"'


def require_version(if_match: str | None, version: int) -> None:
    """Raises PreconditionFailed if `if_match` names other versions than this one (RFC 9110 §13.1.1)."""
    if if_match is None:
        return
    tags = [tag.strip().removeprefix("W/").strip('"') for tag in if_match.split(",")]
    if "*" not in tags and str(version) not in [tag.partition("-")[0] for tag in tags]:
        raise PreconditionFailed()
