"""Idempotency for responses that contain a secret: the stored response is encrypted."""

import json

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.crypto import DecryptionError, SecretBox
from stockbuddy.auth.dependencies import get_services
from stockbuddy.auth.encrypted_response_queries import find_encrypted_responses, replace_response
from stockbuddy.chassis.http.etags import ConditionalRoute


class EncryptedIdempotentRoute(ConditionalRoute):
    """Route class of calls whose response contains a secret that is shown only once."""

    def encode_stored(self, request: Request, body: str) -> str:
        return get_services(request).secret_box.encrypt(body.encode()).decode()

    def decode_stored(self, request: Request, stored: str) -> str:
        return get_services(request).secret_box.decrypt(stored.encode()).decode()


async def erase_encrypted_responses(session: AsyncSession, secret_box: SecretBox, user_id: int) -> None:
    """Remove the user from responses to other callers, such as the admin who registered them."""
    for row in await find_encrypted_responses(session):
        try:
            response = json.loads(secret_box.decrypt(row.body.encode()))
        except DecryptionError:
            continue  # unreadable for good
        if isinstance(response, dict) and user_id in (response.get("id"), (response.get("user") or {}).get("id")):
            body = secret_box.encrypt(json.dumps({"erased": True}).encode()).decode()
            await replace_response(session, row.caller, row.key, body)
