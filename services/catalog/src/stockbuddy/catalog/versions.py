"""Entity tags of what carries a version: `"7"`, or `"7-…"` where the answer shows more than the version covers.

A product's answer shows its stock too. A changed stock is a new answer (no 304), but no reason to refuse an edit.
"""

import hashlib

from fastapi import Request

from stockbuddy.chassis.http.errors import PreconditionFailed


def etag_of(version: int, body: bytes) -> str:
    return f'"{version}-{hashlib.blake2b(body, digest_size=8).hexdigest()}"'


def require_version(request: Request, version: int) -> None:
    """Raises PreconditionFailed when `If-Match` names other versions than this one (RFC 9110 §13.1.1)."""
    header = request.headers.get("if-match")
    if header is None:
        return
    tags = [tag.strip().removeprefix("W/").strip('"') for tag in header.split(",")]
    if "*" not in tags and str(version) not in [tag.partition("-")[0] for tag in tags]:
        raise PreconditionFailed()
