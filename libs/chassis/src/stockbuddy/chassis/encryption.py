"""Encryption of stored secrets that are needed again, with keys derived from an operator's secret (HKDF, RFC 5869)."""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr


class DecryptionError(Exception):
    """The data was encrypted with another SECRET_KEY, or was changed."""


class SecretBox:
    """Encryption (Fernet) with a key that only `service` derives from `SECRET_KEY`."""

    def __init__(self, secret_key: SecretStr, service: str) -> None:
        # The purpose is part of the derivation: changing it makes stored data unreadable.
        self._fernet = Fernet(base64.urlsafe_b64encode(derive_key(secret_key, service, "seal")))

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


def derive_key(secret_key: SecretStr, service: str, purpose: str) -> bytes:
    info = f"stockbuddy {service} {purpose}".encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret_key.get_secret_value().encode())
