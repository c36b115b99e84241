"""Answers that hold a secret are kept for their idempotency key too, so that a retry gets the same one; but sealed."""

from fastapi import Request

from stockbuddy.auth.crypto import seal_of
from stockbuddy.chassis.http.etags import ConditionalRoute


class SecretRoute(ConditionalRoute):
    """The route class of calls that answer with a secret which is shown once."""

    def stored_answer(self, request: Request, body: str) -> str:
        return seal_of(request).close(body.encode()).decode()

    def told_answer(self, request: Request, stored: str) -> str:
        return seal_of(request).open(stored.encode()).decode()
