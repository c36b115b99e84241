"""Secrets: how they are made, recognised without being kept, and kept without being told.

Long random secrets are kept as plain digests, because nobody can guess 256 bits. What is short enough to be guessed
offline is kept as a keyed digest, and what must be used again is sealed; both need the operator's `SECRET_KEY`.
"""

import base64
import hashlib
import hmac
import secrets
from typing import Annotated

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from fastapi import Depends, Request

SECRET_BYTES = 32


class BrokenSeal(Exception):
    """This was sealed with another SECRET_KEY."""


def make_secret() -> str:
    """A new secret of 256 bits, as 43 characters that are safe in URLs, headers and cookies."""
    return secrets.token_urlsafe(SECRET_BYTES)


def digest(secret: str) -> bytes:
    """What is kept of a secret from `make_secret`."""
    return hashlib.sha256(secret.encode()).digest()


class Seal:
    """Seals and recognises with keys derived from the operator's secret (HKDF, RFC 5869), one for each purpose."""

    def __init__(self, secret_key: str) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(_derived(secret_key, b"seal")))
        self._digest_key = _derived(secret_key, b"digest")

    def close(self, content: bytes) -> bytes:
        return self._fernet.encrypt(content)

    def open(self, sealed: bytes) -> bytes:
        """Raises BrokenSeal when another key closed it or somebody changed it."""
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken as error:
            raise BrokenSeal(BrokenSeal.__doc__) from error

    def opens(self, sealed: bytes) -> bool:
        try:
            self.open(sealed)
        except BrokenSeal:
            return False
        return True

    def keyed_digest(self, short_secret: str) -> bytes:
        return hmac.digest(self._digest_key, short_secret.encode(), "sha256")


def _derived(secret_key: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"stockbuddy auth " + purpose).derive(
        secret_key.encode()
    )


def seal_of(request: Request) -> Seal:
    seal: Seal = request.app.state.seal
    return seal


Sealing = Annotated[Seal, Depends(seal_of)]
