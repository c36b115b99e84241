"""Standard terms: renamed event types in outbox and webhooks, names of tables and columns.

The event log is append-only and hash-chained: it keeps the types that it recorded.
"""

import re
from collections.abc import Iterable

from alembic import op
from sqlalchemy import text

revision = "0005"
down_revision = "0004"

PUBLISHED_HERE = {
    "notifications.announcement.made": "notifications.announcement.published",
    "notifications.webhook.send_requested": "notifications.webhook.delivery_requested",
}
RENAMED_TYPES = {
    **PUBLISHED_HERE,
    "stock.reservation.made": "stock.reservation.created",
    "auth.access_token.created": "auth.invitation.created",
    "auth.access_token.used": "auth.invitation.used",
    "auth.access_token.revoked": "auth.invitation.revoked",
}
RENAMED_PREFIX = ("auth.access_token.", "auth.invitation.")

RENAME_IN_OUTBOX = """
    UPDATE {table} SET routing_key = CAST(:new AS text), headers = CAST(CAST(headers AS jsonb)
        || jsonb_build_object('type', CAST(:new AS text), 'dataschema', CAST(:schema AS text)) AS json)
    WHERE routing_key = :old
"""

TERMS = (
    "ALTER TABLE level_alert DROP CONSTRAINT level_alert_state_check",
    "UPDATE level_alert SET state = 'ok' WHERE state = 'well'",
    "ALTER TABLE level_alert ADD CONSTRAINT level_alert_state_check CHECK (state IN ('ok', 'low', 'depleted'))",
    "ALTER TABLE webhook RENAME COLUMN since_position TO from_position",
    "ALTER TABLE webhook_delivery RENAME COLUMN tries TO attempts_in_schedule",
    "ALTER TABLE person RENAME TO user_replica",
    "ALTER TABLE user_replica RENAME CONSTRAINT person_pkey TO user_replica_pkey",
    "ALTER TABLE company RENAME TO company_replica",
    "ALTER TABLE company_replica RENAME CONSTRAINT company_pkey TO company_replica_pkey",
    "ALTER TABLE company_replica RENAME CONSTRAINT company_single_check TO company_replica_single_check",
    "ALTER TABLE name RENAME TO name_replica",
    "ALTER TABLE name_replica RENAME CONSTRAINT name_pkey TO name_replica_pkey",
    "ALTER TABLE mail RENAME TO queued_email",
    "ALTER TABLE queued_email RENAME CONSTRAINT mail_pkey TO queued_email_pkey",
    "ALTER TABLE queued_email RENAME CONSTRAINT mail_state_check TO queued_email_state_check",
    "ALTER TABLE queued_email RENAME CONSTRAINT mail_cause_recipient_key TO queued_email_cause_recipient_key",
    "ALTER INDEX mail_due RENAME TO queued_email_due",
    "ALTER INDEX mail_by_message RENAME TO queued_email_by_message",
    "ALTER INDEX mail_by_age RENAME TO queued_email_by_age",
    "ALTER SEQUENCE mail_id_seq RENAME TO queued_email_id_seq",
)


def to_expression(patterns: Iterable[str]) -> str:
    """As event_log/patterns.py at this revision."""
    alternatives = (".*".join(re.escape(part) for part in pattern.split("*")) for pattern in patterns)
    return "^(" + "|".join(alternatives) + ")$"


def rename_types(patterns: list[str]) -> list[str]:
    """Patterns that match the new names of the types that they matched by their old names."""
    old_prefix, new_prefix = RENAMED_PREFIX
    renamed = [RENAMED_TYPES.get(pattern, re.sub(f"^{old_prefix}", new_prefix, pattern)) for pattern in patterns]
    for old, new in RENAMED_TYPES.items():
        # Other patterns, such as `*.made`, keep matching other types, so the new name is added.
        if re.fullmatch(to_expression(patterns), old) and not re.fullmatch(to_expression(renamed), new):
            renamed.append(new)
    return list(dict.fromkeys(renamed))


def upgrade() -> None:
    connection = op.get_bind()
    for table in ("outbox", "outbox_archive"):
        for old, new in PUBLISHED_HERE.items():
            connection.execute(
                text(RENAME_IN_OUTBOX.format(table=table)),
                {"old": old, "new": new, "schema": f"urn:stockbuddy:schema:{new}"},
            )
    for webhook_id, event_types in connection.execute(text("SELECT id, event_types FROM webhook")).all():
        renamed = rename_types(event_types)
        if renamed != event_types:
            connection.execute(
                text(
                    "UPDATE webhook SET event_types = :event_types, expression = :expression, version = version + 1,"
                    " updated_at = now() WHERE id = :id"
                ),
                {"event_types": renamed, "expression": to_expression(renamed), "id": webhook_id},
            )
    for statement in TERMS:
        op.execute(statement)
