"""Generation, hashing and encryption of secrets.

Secrets of 256 random bits are stored as plain digests, because they cannot be guessed. Short secrets are stored as
keyed digests against offline guessing, and secrets that are needed again are encrypted; both keys derive from
`SECRET_KEY`.
"""

import hashlib
import hmac
import secrets

from pydantic import SecretStr

from stockbuddy.chassis import encryption
from stockbuddy.chassis.encryption import DecryptionError, derive_key

__all__ = ["DecryptionError", "SecretBox", "create_secret", "digest"]

SECRET_BYTES = 32


def create_secret() -> str:
    """A new secret of 256 bits: 43 characters that are safe in URLs, headers and cookies."""
    return secrets.token_urlsafe(SECRET_BYTES)


def digest(secret: str) -> bytes:
    """The stored form of a secret from `create_secret`."""
    return hashlib.sha256(secret.encode()).digest()


class SecretBox(encryption.SecretBox):
    """Encryption and keyed digests, each with its own key."""

    def __init__(self, secret_key: SecretStr) -> None:
        super().__init__(secret_key, "auth")
        self._digest_key = derive_key(secret_key, "auth", "digest")

    def keyed_digest(self, short_secret: str) -> bytes:
        return hmac.digest(self._digest_key, short_secret.encode(), "sha256")
