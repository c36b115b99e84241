"""Rename columns and the events of reservations and unusual activity to standard terms, also in stored events."""

from alembic import op

revision = "0056"
down_revision = "0055"

RENAME_COLUMNS = (
    "ALTER TABLE level RENAME COLUMN taken_spread TO taken_variance",
    "ALTER TABLE level RENAME COLUMN added_spread TO added_variance",
)
RENAME_EVENT_TYPE = """
    UPDATE {table} SET
        routing_key = 'stock.reservation.created',
        headers = CAST(CAST(headers AS jsonb) || jsonb_build_object(
            'type', 'stock.reservation.created', 'dataschema', 'urn:stockbuddy:schema:stock.reservation.created'
        ) AS json)
    WHERE routing_key = 'stock.reservation.made'
"""
RENAME_PAYLOAD_FIELDS = """
    UPDATE {table} SET
        payload = CAST(CAST(payload AS jsonb) - 'times' - 'usual' || jsonb_build_object(
            'ratio', CAST(payload AS jsonb) -> 'times', 'typical_quantity', CAST(payload AS jsonb) -> 'usual'
        ) AS json)
    WHERE routing_key = 'stock.activity.unusual'
"""


def upgrade() -> None:
    for statement in RENAME_COLUMNS:
        op.execute(statement)
    for table in ("outbox", "outbox_archive"):
        op.execute(RENAME_EVENT_TYPE.format(table=table))
        op.execute(RENAME_PAYLOAD_FIELDS.format(table=table))
