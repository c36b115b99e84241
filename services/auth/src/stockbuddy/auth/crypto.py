"""Generation, hashing and encryption of secrets.

Secrets of 256 random bits are stored as plain digests, because they cannot be guessed. Short secrets are stored as
keyed digests against offline guessing, and secrets that are needed again are encrypted; both keys derive from
`SECRET_KEY`.
"""

import base64
import hashlib
import hmac
import secrets

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

SECRET_BYTES = 32


class DecryptionError(Exception):
    """The data was encrypted with another SECRET_KEY, or was changed."""


def create_secret() -> str:
    """A new secret of 256 bits: 43 characters that are safe in URLs, headers and cookies."""
    return secrets.token_urlsafe(SECRET_BYTES)


def digest(secret: str) -> bytes:
    """The stored form of a secret from `create_secret`."""
    return hashlib.sha256(secret.encode()).digest()


class SecretBox:
    """Encryption (Fernet) and keyed digests, each with its own key derived from `SECRET_KEY` (HKDF, RFC 5869)."""

    def __init__(self, secret_key: SecretStr) -> None:
        # The purposes are part of the derivation: changing them makes stored data unreadable.
        self._fernet = Fernet(base64.urlsafe_b64encode(_derive_key(secret_key, b"seal")))
        self._digest_key = _derive_key(secret_key, b"digest")

    def encrypt(self, content: bytes) -> bytes:
        return self._fernet.encrypt(content)

    def decrypt(self, encrypted: bytes) -> bytes:
        """Raises DecryptionError."""
        try:
            return self._fernet.decrypt(encrypted)
        except InvalidToken as error:
            raise DecryptionError(DecryptionError.__doc__) from error

    def can_decrypt(self, encrypted: bytes) -> bool:
        try:
            self.decrypt(encrypted)
        except DecryptionError:
            return False
        return True

    def keyed_digest(self, short_secret: str) -> bytes:
        return hmac.digest(self._digest_key, short_secret.encode(), "sha256")


def _derive_key(secret_key: SecretStr, purpose: bytes) -> bytes:
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"stockbuddy auth " + purpose)
    return derivation.derive(secret_key.get_secret_value().encode())
