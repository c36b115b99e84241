"""Webhook deliveries: `verify` those that arrive, `sign` some for tests. Requires `stockbuddy-client[webhooks]`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from standardwebhooks import Webhook

from stockbuddy_client import exact
from stockbuddy_client.problems import StockbuddyError

if TYPE_CHECKING:
    from stockbuddy_client.types import WebhookEvent


class InvalidSignature(StockbuddyError):
    """The delivery is not from the server, was changed, or is older than five minutes. Respond with 401."""


def verify(headers: Mapping[str, str], raw_body: bytes, secrets: Sequence[str]) -> WebhookEvent:
    """The event of a delivery that one of the secrets signed; its `type` determines the type of its `data`. `raw_body`:
    the bytes as received; `secrets`: the webhook's, and after a rotation the earlier one as well. Deliveries repeat:
    handle each `id` once. Raises InvalidSignature."""
    if not secrets:
        raise ValueError("at least one secret is required")
    verifiers = [Webhook(secret) for secret in secrets]
    failure: Exception | None = None
    for verifier in verifiers:
        try:
            verifier.verify(raw_body, dict(headers), json_parse=False)
            return cast("WebhookEvent", exact.decode(raw_body))
        except Exception as error:
            failure = error
    raise InvalidSignature(str(failure)) from failure


def sign(message_id: str, raw_body: bytes, secret: str, *, at: datetime | None = None) -> dict[str, str]:
    """The headers that the server would send with this body, now or at another time, to test a receiver."""
    moment = (at or datetime.now(UTC)).astimezone(UTC)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, moment, raw_body.decode()),
    }
