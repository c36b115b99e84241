"""Idempotency for responses that contain a secret: the stored response is encrypted."""

import json

from fastapi import Request
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.crypto import DecryptionError, SecretBox
from stockbuddy.auth.dependencies import get_services
from stockbuddy.chassis.http.etags import ConditionalRoute


class EncryptedIdempotentRoute(ConditionalRoute):
    """Route class of calls whose response contains a secret that is shown only once."""

    def encode_stored(self, request: Request, body: str) -> str:
        return get_services(request).secret_box.encrypt(body.encode()).decode()

    def decode_stored(self, request: Request, stored: str) -> str:
        return get_services(request).secret_box.decrypt(stored.encode()).decode()


_ENCRYPTED = text("SELECT caller, key, body FROM idempotency_key WHERE body LIKE 'gAAAA%'")
"""Fernet's version byte and the high bytes of the time, in base64."""
_REPLACE = text("UPDATE idempotency_key SET body = :body WHERE caller = :caller AND key = :key")


async def erase_encrypted_responses(session: AsyncSession, secret_box: SecretBox, user_id: int) -> None:
    """Remove the user from responses to other callers, such as the admin who registered them."""
    for row in (await session.execute(_ENCRYPTED)).all():
        try:
            response = json.loads(secret_box.decrypt(row.body.encode()))
        except DecryptionError:
            continue  # nobody can read it any more
        if isinstance(response, dict) and user_id in (response.get("id"), (response.get("user") or {}).get("id")):
            body = secret_box.encrypt(json.dumps({"erased": True}).encode()).decode()
            await session.execute(_REPLACE, {"caller": row.caller, "key": row.key, "body": body})
