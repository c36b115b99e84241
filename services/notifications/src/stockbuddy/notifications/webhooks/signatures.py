"""Signatures of deliveries as in Standard Webhooks (https://www.standardwebhooks.com), with its own library."""

from collections.abc import Sequence

from standardwebhooks import Webhook as Signer

from stockbuddy.chassis.runtime import clock


def sign_headers(message_id: str, body: str, secrets: Sequence[str]) -> dict[str, str]:
    """The headers of an attempt made now, with one signature per valid secret."""
    now = clock.now()
    signatures = [Signer(secret).sign(message_id, now, body) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
