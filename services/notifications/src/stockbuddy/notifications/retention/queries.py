"""Retention periods and deletion queries. The event log is never deleted."""

from sqlalchemy import text

BATCH_SIZE = 5000
"""Small enough that a batch holds its row locks only briefly."""

# Like SMTP servers, give up on an e-mail after five days.
_FAIL_UNSENT_EMAILS = f"""
    UPDATE queued_email SET state = 'failed', finished_at = now(), last_error = coalesce(last_error, 'no SMTP server')
    WHERE id IN (
        SELECT id FROM queued_email
        WHERE state = 'pending' AND created_at < now() - interval '5 days' LIMIT {BATCH_SIZE})
    RETURNING 1"""
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

DELETE_EXPIRED = tuple(map(text, (_FAIL_UNSENT_EMAILS, _DELETE_NOTIFICATIONS, _DELETE_EMAILS, _DELETE_DELIVERIES)))
"""Each statement handles at most BATCH_SIZE rows and returns one row per handled row."""
