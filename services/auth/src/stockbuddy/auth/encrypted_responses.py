"""Idempotency for responses that contain a secret: the stored response is encrypted."""

from fastapi import Request

from stockbuddy.auth.dependencies import get_services
from stockbuddy.chassis.http.etags import ConditionalRoute


class EncryptedIdempotentRoute(ConditionalRoute):
    """Route class of calls whose response contains a secret that is shown only once."""

    def encode_stored(self, request: Request, body: str) -> str:
        return get_services(request).secret_box.encrypt(body.encode()).decode()

    def decode_stored(self, request: Request, stored: str) -> str:
        return get_services(request).secret_box.decrypt(stored.encode()).decode()
