"""Signed URLs of images: a page that logs in with a bearer token cannot send it with `<img>`.

A URL is signed for one image and one or two days, with a key in the catalog's schema that all replicas share. It is the
same for a day, so that browsers cache the image.
"""

import base64
import hmac
import re

from stockbuddy.catalog.signed_url_queries import read_url_key
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime import clock

DAY_SECONDS = 86_400
SIGNATURE_BYTES = 16
MAX_EXPIRES = 10**12
_MARK = b"/image?v="
_IMAGE_URL = re.compile(rb'("image_url"\s*:\s*")/api/v1/products/(\d+)/image\?v=([0-9a-f]+)"')
"""In JSON. A quote inside a string is escaped, so no text that a user entered matches."""


class ImageUrls:
    """Signs and verifies. The key is read at the first use."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._key = b""

    async def signed_url(self, product_id: int, digest: str) -> str:
        """A further parameter `size` may be appended."""
        await self._load_key()
        return self._signed_url(product_id, digest)

    async def sign_in(self, body: bytes) -> bytes:
        """The JSON of products with their `image_url` signed."""
        if _MARK not in body:
            return body
        await self._load_key()
        return _IMAGE_URL.sub(self._sign_match, body)

    async def is_valid(self, product_id: int, digest: str, expires: int, signature: str) -> bool:
        await self._load_key()
        expected = self._signature(product_id, digest, expires)
        return hmac.compare_digest(expected.encode(), signature.encode()) and expires > clock.timestamp()

    async def _load_key(self) -> None:
        if not self._key:
            async with self._database.reading() as session:
                self._key = await read_url_key(session)

    def _sign_match(self, match: re.Match[bytes]) -> bytes:
        return match[1] + self._signed_url(int(match[2]), match[3].decode()).encode() + b'"'

    def _signed_url(self, product_id: int, digest: str) -> str:
        expires = (int(clock.timestamp()) // DAY_SECONDS + 2) * DAY_SECONDS
        signature = self._signature(product_id, digest, expires)
        return f"/api/v1/products/{product_id}/image?v={digest}&expires={expires}&signature={signature}"

    def _signature(self, product_id: int, digest: str, expires: int) -> str:
        signature = hmac.digest(self._key, f"{product_id}:{digest}:{expires}".encode(), "sha256")
        return base64.urlsafe_b64encode(signature[:SIGNATURE_BYTES]).decode().rstrip("=")
