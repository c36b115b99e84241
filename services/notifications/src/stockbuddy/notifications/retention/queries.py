"""Retention periods and deletion queries. The event log is never deleted."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

BATCH_SIZE = 5000
"""Small enough that a batch holds its row locks only briefly."""

# Like SMTP servers, give up on an e-mail after five days.
_FAIL_UNSENT_EMAILS = text(f"""
    UPDATE queued_email SET state = 'failed', finished_at = now(), last_error = coalesce(last_error, 'no SMTP server'),
                            message_id = coalesce(message_id, 'queued/' || id)
    WHERE id IN (
        SELECT id FROM queued_email
        WHERE state = 'pending' AND created_at < now() - interval '5 days' LIMIT {BATCH_SIZE})
    RETURNING message_id, kind, recipient, attempts, last_error""")
_DELETE_NOTIFICATIONS = f"""
    DELETE FROM notification WHERE id IN (
        SELECT id FROM notification WHERE created_at < now() - interval '180 days' LIMIT {BATCH_SIZE})
    RETURNING 1"""
_DELETE_EMAILS = f"""
    DELETE FROM queued_email WHERE id IN (
        SELECT id FROM queued_email
        WHERE state <> 'pending' AND finished_at < now() - interval '90 days' LIMIT {BATCH_SIZE})
    RETURNING 1"""
_DELETE_DELIVERIES = f"""
    DELETE FROM webhook_delivery WHERE id IN (
        SELECT id FROM webhook_delivery
        WHERE state <> 'pending' AND finished_at < now() - interval '30 days' LIMIT {BATCH_SIZE})
    RETURNING 1"""

DELETE_EXPIRED = tuple(map(text, (_DELETE_NOTIFICATIONS, _DELETE_EMAILS, _DELETE_DELIVERIES)))
"""Each statement handles at most BATCH_SIZE rows and returns one row per handled row."""


async def fail_unsent_emails(session: AsyncSession) -> Sequence[Row[*tuple[Any, ...]]]:
    """The next e-mails that expire: `message_id, kind, recipient, attempts, last_error`."""
    return (await session.execute(_FAIL_UNSENT_EMAILS)).all()
