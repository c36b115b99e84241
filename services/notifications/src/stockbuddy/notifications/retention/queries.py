"""What is forgotten, and when. The event log is not: it is the record."""

from sqlalchemy import text

AT_ONCE = 5000

TIDY = {
    # As mail servers do: what nobody has taken in five days is old news.
    "mail that nobody takes": text(f"""
        UPDATE mail SET state = 'failed', finished_at = now(), last_error = coalesce(last_error, 'no mail server')
        WHERE id IN (
            SELECT id FROM mail WHERE state = 'pending' AND created_at < now() - interval '5 days' LIMIT {AT_ONCE})
        RETURNING 1"""),
    "notifications": text(f"""
        DELETE FROM notification WHERE id IN (
            SELECT id FROM notification WHERE created_at < now() - interval '180 days' LIMIT {AT_ONCE})
        RETURNING 1"""),
    "finished mail": text(f"""
        DELETE FROM mail WHERE id IN (
            SELECT id FROM mail WHERE state <> 'pending' AND finished_at < now() - interval '90 days' LIMIT {AT_ONCE})
        RETURNING 1"""),
    "finished deliveries": text(f"""
        DELETE FROM webhook_delivery WHERE id IN (
            SELECT id FROM webhook_delivery
            WHERE state <> 'pending' AND finished_at < now() - interval '30 days' LIMIT {AT_ONCE})
        RETURNING 1"""),
}
"""Each deals with some of what is old, and returns a row for each row of it."""
