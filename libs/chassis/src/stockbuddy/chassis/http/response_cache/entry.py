"""A response as the cache keeps it, with the version of the data that it was read from."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from fastapi import Response

from stockbuddy.chassis.postgres.data_version import DataVersion
from stockbuddy.chassis.runtime import clock

_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Entry:
    """`created_at`: seconds since the epoch."""

    version: DataVersion
    created_at: float
    media_type: str | None
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def of(cls, response: Response, version: DataVersion) -> "Entry | None":
        """None for a response that is not kept: an error, or a stream."""
        body = getattr(response, "body", None)
        if response.status_code != 200 or not isinstance(body, bytes):
            return None
        derived = ("content-length", "content-type")
        headers = {name: value for name, value in response.headers.items() if name not in derived}
        return cls(version, clock.timestamp(), response.media_type, headers, body)

    def to_response(self) -> Response:
        return Response(self.body, 200, dict(self.headers), self.media_type)

    def is_younger_than(self, seconds: float) -> bool:
        """Other replicas' clocks may be ahead."""
        return abs(clock.timestamp() - self.created_at) < seconds

    def encode(self, key: str) -> bytes:
        """A digest of everything with the key, the attributes as JSON in one line, and the body."""
        attributes: dict[str, Any] = asdict(self) | {"version": list(self.version)}
        del attributes["body"]
        content = json.dumps(attributes).encode() + b"\n" + self.body
        return _digest(key, content) + content


def decode(key: str, stored: bytes) -> Entry | None:
    """None if this is no entry of the key."""
    digest, content = stored[:_DIGEST_BYTES], stored[_DIGEST_BYTES:]
    if digest != _digest(key, content):
        return None
    attributes, _, body = content.partition(b"\n")
    try:
        values = json.loads(attributes)
        return Entry(**values | {"version": DataVersion(*values["version"]), "body": body})
    except (ValueError, KeyError, TypeError):
        return None  # of another build of this release


def _digest(key: str, content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES, key=hashlib.sha256(key.encode()).digest()).digest()
