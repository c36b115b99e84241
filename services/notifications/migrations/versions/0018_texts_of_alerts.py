"""Texts of alerts: their code and values, from which clients make them in the reader's language."""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0018"
down_revision = "0017"

# Replicas of the earlier release insert notifications without them while an upgrade is running.
STATEMENTS = ("ALTER TABLE notification ADD text_code text, ADD text_values jsonb NOT NULL DEFAULT '{}'",)

COMMENTS = {
    "notification": {
        "text_code": "What title and body say, such as low_stock; null: an announcement, or of an earlier release.",
        "text_values": "What title and body name, such as product and on_hand, as texts.",
    },
}


def upgrade() -> None:
    for statement in (*STATEMENTS, *comment_statements(COMMENTS)):
        op.execute(statement)
